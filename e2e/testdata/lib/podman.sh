# podman, which finds $WORK wherever it keeps things.
export REGISTRY_AUTH_FILE=$WORK/auth.json
unshare --mount bash -euc '
  for dir in /run /dev/shm /var/lib/containers; do
    mkdir -p "$WORK/podman/$dir" "$dir"
    mount --bind "$WORK/podman/$dir" "$dir"
  done
  exec podman "$@"' bash "$@"
