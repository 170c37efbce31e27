package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"fargo/instance"
)

// caCommand prints what a client must trust to trust load balancers whose
// certificates ACM was asked for.
type caCommand struct {
	dataDir
}

// Run prints the certificate, in PEM.
func (c *caCommand) Run(_ context.Context, std *stdio) error {
	inst, err := instance.Find(c.DataDir)
	if err != nil {
		return fmt.Errorf("%w; fargo up makes one", err)
	}
	certificate, err := os.ReadFile(inst.CAFile())
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("fargo up has not been ready yet with %s", inst.Dir)
	}
	if err != nil {
		return err
	}
	block, _ := pem.Decode(certificate)
	if block == nil {
		return fmt.Errorf("%s is damaged, and fargo up writes it again", inst.CAFile())
	}
	if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		return fmt.Errorf("%s is damaged, and fargo up writes it again: %w", inst.CAFile(), err)
	}
	_, err = std.out.Write(certificate)
	return err
}
