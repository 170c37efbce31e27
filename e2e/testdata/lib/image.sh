# Creates the repository myapp/api and pushes the example image to it as v1.3.0.
registry=${AWS_ENDPOINT_URL#*://}
verify=(--tls-verify=false)
copy=(--dest-tls-verify=false)
if [[ $AWS_ENDPOINT_URL = https:* ]]; then
  mkdir -p "$WORK/certs"
  fargo ca >"$WORK/certs/ca.crt"
  verify=(--cert-dir "$WORK/certs")
  copy=(--dest-cert-dir "$WORK/certs")
fi
aws ecr create-repository --repository-name myapp/api >/dev/null
aws ecr get-login-password |
  skopeo login --authfile "$WORK/auth.json" "${verify[@]}" --username AWS --password-stdin "$registry" >/dev/null
skopeo copy --quiet --authfile "$WORK/auth.json" "${copy[@]}" --insecure-policy \
  "oci-archive:$IMAGE" "docker://$registry/myapp/api:v1.3.0"
