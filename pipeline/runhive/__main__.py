from runhive.cli import main

main()
