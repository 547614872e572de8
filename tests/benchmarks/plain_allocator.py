"""`python pipeline ...` with glibc's allocator as it comes: what `keep_freed_memory` is compared with.

python tests/benchmarks/plain_allocator.py train
"""

import runhive.stages.train
from runhive.cli import main

runhive.stages.train.keep_freed_memory = dict
main()
