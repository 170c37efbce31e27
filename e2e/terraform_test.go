//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// terraformMirror is a directory of providers, laid out as terraform providers
// mirror does it. The default is where Terraform itself looks.
func terraformMirror() string {
	if dir := os.Getenv("TERRAFORM_MIRROR"); dir != "" {
		return dir
	}
	return "/usr/local/share/terraform/plugins"
}

// TestTerraform runs the real Terraform with the real AWS provider. No package
// of Debian has them, so it is skipped where they are not; make says so.
func TestTerraform(t *testing.T) {
	if _, err := exec.LookPath("terraform"); err != nil {
		t.Skip("there is no terraform on the PATH")
	}
	provider := filepath.Join(terraformMirror(), "registry.terraform.io/hashicorp/aws")
	if _, err := os.Stat(provider); err != nil {
		t.Skipf("there is no AWS provider: %v (TERRAFORM_MIRROR names another mirror)", err)
	}
	runScripts(t, "testdata/terraform", clients(t)[0])
}
