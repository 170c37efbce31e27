# docker with an engine of the script's own.
export DOCKER_CONFIG=$WORK/docker DOCKER_HOST=unix://$WORK/docker.sock
docker "$@"
