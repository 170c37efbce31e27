# Logs a client in with the password that ECR gives: podman --tls-verify=false.
client=$1
shift
aws ecr get-login-password | . "$LIB/$client.sh" login --username AWS --password-stdin "$@" "${AWS_ENDPOINT_URL#*://}"
