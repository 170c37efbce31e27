# Runs a Docker engine that keeps to $WORK: no bridge, no rules, no forwarding,
# and a /run of its own.
echo '{}' >"$WORK/daemon.json"
exec unshare --mount bash -c 'mount -t tmpfs tmpfs /run && exec "$@"' bash \
  dockerd --config-file "$WORK/daemon.json" --host "unix://$WORK/docker.sock" --pidfile "$WORK/docker.pid" \
  --data-root "$WORK/data" --exec-root "$WORK/exec" --storage-driver vfs \
  --bridge none --iptables=false --ip6tables=false --ip-forward=false --userland-proxy=false
