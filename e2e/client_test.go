//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// client is an aws command of this machine.
type client struct {
	name string // "aws-cli 2.9.19"
	path string
	// needsFlag: it is too old to read AWS_ENDPOINT_URL.
	needsFlag bool
}

var versionPattern = regexp.MustCompile(`^aws-cli/((\d+)\.(\d+)\.\d+)`)

// clients finds every aws command on the PATH, one of each version.
func clients(t *testing.T) []client {
	t.Helper()
	var found []client
	seen := map[string]bool{}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		path := filepath.Join(dir, "aws")
		out, err := exec.Command(path, "--version").CombinedOutput()
		if err != nil {
			continue // no such command
		}
		m := versionPattern.FindStringSubmatch(string(out))
		if m == nil || seen[m[1]] {
			continue
		}
		seen[m[1]] = true
		major, _ := strconv.Atoi(m[2])
		minor, _ := strconv.Atoi(m[3])
		found = append(found, client{
			name:      "aws-cli " + m[1],
			path:      path,
			needsFlag: major == 1 && minor < 29 || major == 2 && minor < 13,
		})
	}
	if len(found) == 0 {
		t.Fatal("no aws command: run make setup")
	}
	return found
}
