package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"fargo/desired"
	"fargo/secret"
)

// keysTimeout is how long a change of the data plane waits for the keys of its
// certificates. The control plane that sent the change has them.
const keysTimeout = 5 * time.Second

// withSecrets gives the secrets that d names. Who has a certificate without its key
// keeps the certificates of before, and missing says what there is to wait for.
func (n *Node) withSecrets(ctx context.Context, d desired.State) (state desired.State, secrets map[desired.SecretID]secret.Text, missing error) {
	bounded, cancel := context.WithTimeout(ctx, keysTimeout)
	defer cancel()
	secrets, errs := n.secrets.getAll(bounded, desired.DataPlaneSecrets(&d))
	if len(errs) == 0 {
		return d, secrets, nil
	}
	d = n.withKnownKeys(d)
	return d, n.secrets.known(desired.DataPlaneSecrets(&d)), errors.Join(errs...)
}

// withKnownKeys is a data plane with no certificate whose key the node has not got.
func (n *Node) withKnownKeys(next desired.State) desired.State {
	n.mu.Lock()
	before := n.mu.dataPlane.followed
	n.mu.Unlock()
	known := n.secrets.known(desired.DataPlaneSecrets(&next, &before))
	return keepCertificates(next, before, func(id desired.SecretID) bool { _, ok := known[id]; return ok })
}

// keepCertificates gives the listeners of next, and the APIs, that have a certificate
// without its key the certificates that they had before, if those have theirs. Who is new
// has only those with a key.
func keepCertificates(next, before desired.State, hasKey func(desired.SecretID) bool) desired.State {
	old := map[string][]desired.Certificate{}
	for _, b := range before.Balancers {
		for _, l := range b.Listeners {
			old[l.ARN] = l.Certificates
		}
	}
	next.Balancers = slices.Clone(next.Balancers)
	for i := range next.Balancers {
		b := &next.Balancers[i]
		b.Listeners = slices.Clone(b.Listeners)
		for j := range b.Listeners {
			l := &b.Listeners[j]
			l.Certificates = withKeys(l.Certificates, old[l.ARN], hasKey)
		}
	}
	next.Platform.Certificates = withKeys(next.Platform.Certificates, before.Platform.Certificates, hasKey)
	return next
}

// withKeys are the next certificates if all have their keys, else those before if these
// have, else those of the next that have.
func withKeys(next, before []desired.Certificate, hasKey func(desired.SecretID) bool) []desired.Certificate {
	lacksKey := func(c desired.Certificate) bool { return !hasKey(c.KeyID) }
	switch {
	case !slices.ContainsFunc(next, lacksKey):
		return next
	case len(before) > 0 && !slices.ContainsFunc(before, lacksKey):
		return before
	}
	return slices.DeleteFunc(slices.Clone(next), lacksKey)
}
