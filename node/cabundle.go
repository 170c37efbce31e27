package node

import (
	"fmt"
	"os"
	"path/filepath"
)

// caBundlePath is where containers find the certificates of the authorities that they
// should trust: what AWS_CA_BUNDLE names. No image is known to have anything there.
const caBundlePath = "/etc/fargo/ca-bundle.pem"

// machineRoots are where Linux distributions keep the authorities that they trust.
// Source: package crypto/x509, root_linux.go.
var machineRoots = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// caBundle is the file that all containers have at caBundlePath. It is replaced and never
// written again, so that a container goes on with what it has begun with.
func (d disk) caBundle() string { return filepath.Join(d.memory, "ca-bundle.pem") }

// makeCABundle makes the file of authorities: Fargo's, which has signed the certificates
// of its APIs, and those that the machine trusts, if it has any.
func (d disk) makeCABundle(ca string) error {
	content := []byte(ca)
	for _, path := range machineRoots {
		if roots, err := os.ReadFile(path); err == nil {
			content = append(append(content, '\n'), roots...)
			break
		}
	}
	if err := replace(d.caBundle(), content, 0o644); err != nil {
		return fmt.Errorf("making the authorities that tasks trust: %w", err)
	}
	return nil
}

// setAuthority takes Fargo's authority, which new containers are to trust. Without one, or
// when its file cannot be made, they have no such file.
func (n *Node) setAuthority(ca string) {
	n.mu.Lock()
	known := n.mu.authority
	n.mu.Unlock()
	if ca == known {
		return
	}
	if ca != "" {
		if err := n.disk.makeCABundle(ca); err != nil {
			n.cfg.Logger.Error("new containers do not trust Fargo's APIs", "err", err)
			ca = ""
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.authority = ca
}

// hasAuthority reports whether the file of authorities is there.
func (n *Node) hasAuthority() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.authority != ""
}
