package control

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"

	"fargo/desired"
	"fargo/plan"
	"fargo/secret"
	"fargo/store"
)

// Secret gives a secret to a node that is assigned something which names it, and to
// no other: the password of a task that is the node's and has not stopped, what its
// containers are given, and credentials of its role, the key of a certificate that a
// listener of the node's load balancers has, or, on every node, that Fargo's APIs have.
// errdefs.IsNotFound holds for the error of all others.
func (p *Plane) Secret(ctx context.Context, node string, id desired.SecretID) (secret.Text, error) {
	view := p.DB.View()
	switch kind, of := id.Cut(); kind {
	case desired.RegistryPassword:
		if t, ok := taskByARN(view, of); ok && t.Node == node && !t.Stopped() {
			return p.Puller.Password(t), nil
		}
	case desired.TaskSecret:
		value, err := p.taskSecret(ctx, node, of)
		if err == nil || !errdefs.IsNotFound(err) {
			return value, err
		}
	case desired.TaskCredentials:
		credentials, err := p.taskCredentials(ctx, node, of)
		if err == nil || !errdefs.IsNotFound(err) {
			return credentials, err
		}
	case desired.CertificateKey:
		if key, ok := certificateKey(view, node, id); ok {
			return key, nil
		}
		if key, ok := platformKey(view, id); ok {
			return key, nil
		}
	}
	return secret.Text{}, fmt.Errorf("nothing that node %s is assigned names the secret %s: %w", node, id, errdefs.ErrNotFound)
}

// certificateKey finds a private key among those of the certificates in use on a node.
func certificateKey(view *store.Snapshot, node string, id desired.SecretID) (secret.Text, bool) {
	var running []string
	for lb := range store.ELBLoadBalancers.All(view) {
		if plan.On(lb, node) {
			running = append(running, lb.Key())
		}
	}
	for l := range store.ELBListeners.All(view) {
		if !slices.Contains(running, *l.Listener.LoadBalancerArn) {
			continue
		}
		for _, arn := range l.AllCertificates() {
			if c, ok := store.Certificates.Get(view, arn); ok && plan.Certificate(c).KeyID == id {
				return secret.New(c.PrivateKey), true
			}
		}
	}
	return secret.Text{}, false
}
