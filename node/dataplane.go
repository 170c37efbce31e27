package node

import (
	"context"
	"errors"
	"iter"
	"maps"
	"reflect"
	"slices"
	"time"

	"fargo/desired"
	"fargo/host"
	"fargo/secret"
)

// Follower is a part of the machine's data plane apart from its tasks: load
// balancers, names.
type Follower interface {
	// Follow makes the follower do what d says, and returns soon: when it has
	// let go of the interfaces and VPCs that are not in d. Those that are in d
	// have been set up by then, or it has been tried; one that is missing comes
	// later. d has no Tasks. Follow is called for what the node finds in its
	// folder at the start and for every change, but not for one that a newer
	// change has overtaken; never twice at once; again, after a while, when it
	// fails. secrets has all that d names.
	Follow(ctx context.Context, d desired.State, secrets map[desired.SecretID]secret.Text) error
}

// dataPlane is what is desired of a machine apart from its tasks, and what is still
// there although it is no longer desired.
type dataPlane struct {
	known    bool          // desired has been received, now or before a restart
	desired  desired.State // the newest; without Tasks
	followed desired.State // what all followers have come to
	// vpcs are those that are wanted of the network, and interfaces those of
	// balancers and endpoints that are.
	vpcs       map[string]desired.VPC
	interfaces map[string]desired.Interface
	// change is the number of the network's change that desired came with.
	change uint64
	// incomplete says that what is kept for a restart has older certificates than are
	// desired, because keys were missing.
	incomplete bool
}

func newDataPlane() dataPlane {
	return dataPlane{vpcs: map[string]desired.VPC{}, interfaces: map[string]desired.Interface{}}
}

// setDataPlane takes what is desired apart from tasks, and has the network set up for it
// and for the interfaces of new tasks. What is no longer desired stays until the
// followers have let go of it. When anything has changed, it is to be kept and
// followed.
func (n *Node) setDataPlane(d desired.State, interfaces map[string]desired.Interface) (changed bool) {
	d.Tasks = nil
	n.mu.Lock()
	defer n.mu.Unlock()
	w := &n.mu.dataPlane
	changed = !w.known || !reflect.DeepEqual(w.desired, d)
	if !changed && len(interfaces) == 0 {
		return false
	}
	if !w.known {
		w.known = true
		close(n.known)
	}
	w.desired = d
	for i := range ownInterfaces(&d) {
		if !reflect.DeepEqual(w.interfaces[i.ID], i) {
			w.interfaces[i.ID], interfaces[i.ID] = i, i
		}
	}
	w.keepVPCs(n.network.values())
	n.secrets.hold(dataPlaneHolder, w.secrets())
	w.change = n.network.change(interfaces)
	return changed
}

// ownInterfaces are those of load balancers and endpoints, which are of no task.
func ownInterfaces(d *desired.State) iter.Seq[desired.Interface] {
	return func(yield func(desired.Interface) bool) {
		for i := range d.Balancers {
			for _, own := range d.Balancers[i].Interfaces {
				if !yield(own) {
					return
				}
			}
		}
		for i := range d.Endpoints {
			for _, own := range d.Endpoints[i].Interfaces {
				if !yield(own) {
					return
				}
			}
		}
	}
}

// secrets are the ids of those that the data plane needs, or that followers have.
func (w *dataPlane) secrets() []desired.SecretID {
	return desired.DataPlaneSecrets(&w.desired, &w.followed)
}

// keepVPCs forgets the networks that nobody desires, in which no interface is
// and which no follower has.
func (w *dataPlane) keepVPCs(interfaces map[string]desired.Interface) {
	used := map[string]bool{}
	for _, i := range interfaces {
		used[i.VPC] = true
	}
	for _, v := range w.followed.VPCs {
		used[v.ID] = true
	}
	maps.DeleteFunc(w.vpcs, func(id string, _ desired.VPC) bool { return !used[id] })
	for _, v := range w.desired.VPCs {
		w.vpcs[v.ID] = v
	}
}

// runFollowers calls the followers for each change until ctx ends.
func (n *Node) runFollowers(ctx context.Context) {
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.changed:
		case <-again:
		}
		again = nil
		n.mu.Lock()
		d, number := n.mu.dataPlane.desired, n.mu.dataPlane.change
		n.mu.Unlock()
		if n.network.attempted(ctx, number) != nil {
			return
		}
		d, secrets, missing := n.withSecrets(ctx, d)
		err := n.follow(ctx, d, secrets)
		if err == nil && n.release(d) {
			n.save()
		}
		if err = errors.Join(err, missing); err != nil && ctx.Err() == nil {
			n.cfg.Logger.Error("a part of the data plane failed", "err", err)
			again = time.After(retryAfter)
		}
	}
}

// follow calls each follower; one that fails does not keep the others from it.
func (n *Node) follow(ctx context.Context, d desired.State, secrets map[desired.SecretID]secret.Text) error {
	var errs []error
	for _, f := range n.cfg.Followers {
		errs = append(errs, f.Follow(ctx, d, secrets))
	}
	return errors.Join(errs...)
}

// release has the network let go of what followers no longer have and nobody
// desires anew. When anything has changed, it is to be kept.
func (n *Node) release(followed desired.State) (changed bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := &n.mu.dataPlane
	defer n.mayBeEmpty()
	w.followed = followed
	n.secrets.hold(dataPlaneHolder, w.secrets())
	keep := map[string]bool{}
	for _, d := range []*desired.State{&followed, &w.desired} {
		for i := range ownInterfaces(d) {
			keep[i.ID] = true
		}
	}
	var gone []string
	for id := range w.interfaces {
		if !keep[id] {
			delete(w.interfaces, id)
			gone = append(gone, id)
		}
	}
	inUse, before := n.network.values(), len(w.vpcs)
	for _, id := range gone {
		delete(inUse, id)
	}
	w.keepVPCs(inUse)
	if len(gone) == 0 && len(w.vpcs) == before {
		return w.incomplete
	}
	n.network.change(nil, gone...)
	return true
}

// save keeps the data plane for a restart: what is desired, with the networks that
// something is still in, and with certificates that have keys: after a restart there
// may be no control plane to ask.
func (n *Node) save() {
	n.saving.Lock() // the last to write has the newest
	defer n.saving.Unlock()
	n.mu.Lock()
	d := n.mu.dataPlane.desired
	n.mu.Unlock()
	d.VPCs = n.vpcs()
	wanted := d
	d = n.withKnownKeys(wanted)
	n.mu.Lock()
	n.mu.dataPlane.incomplete = !reflect.DeepEqual(d, wanted)
	n.mu.Unlock()
	if err := n.disk.saveDataPlane(d); err != nil {
		n.cfg.Logger.Error("a restart would find older networks, balancers and names", "err", err)
	}
}

// vpcs are all networks, in the order of their ids.
func (n *Node) vpcs() []desired.VPC {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]desired.VPC, 0, len(n.mu.dataPlane.vpcs))
	for _, id := range slices.Sorted(maps.Keys(n.mu.dataPlane.vpcs)) {
		all = append(all, n.mu.dataPlane.vpcs[id])
	}
	return all
}

// setNetwork makes the machine's networking that of these interfaces.
func (n *Node) setNetwork(ctx context.Context, interfaces []desired.Interface) error {
	return n.cfg.Network.Set(ctx, host.Network{VPCs: n.vpcs(), Interfaces: interfaces})
}
