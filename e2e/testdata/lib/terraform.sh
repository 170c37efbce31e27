# Runs Terraform, which takes its providers from a mirror and calls nobody but
# Fargo.
cat >terraform.rc <<RC
disable_checkpoint = true
provider_installation {
  filesystem_mirror {
    path = "$TERRAFORM_MIRROR"
  }
}
RC
export TF_CLI_CONFIG_FILE=$PWD/terraform.rc TF_IN_AUTOMATION=1 AWS_EC2_METADATA_DISABLED=true
terraform "$@" -no-color
