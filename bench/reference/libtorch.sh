# Sourced: the worker runs on the libtorch of "$python".
site=$("$python" -c 'import torch; print(torch.__path__[0] + "/..")') || exit 1
export LD_LIBRARY_PATH="$site/torch/lib:$site/nvidia/cu13/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
