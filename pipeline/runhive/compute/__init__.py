"""Where runs are sent: targets, the runners behind them, and submissions to GitHub Actions."""
