# Creates the repository myapp/api and pushes the example image to it as v1.3.0.
registry=${AWS_ENDPOINT_URL#http://}
aws ecr create-repository --repository-name myapp/api >/dev/null
aws ecr get-login-password |
  skopeo login --authfile "$WORK/auth.json" --tls-verify=false --username AWS --password-stdin "$registry" >/dev/null
skopeo copy --quiet --authfile "$WORK/auth.json" --dest-tls-verify=false --insecure-policy \
  "oci-archive:$IMAGE" "docker://$registry/myapp/api:v1.3.0"
