package control

import (
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// named are interfaces whose public names may have changed, by their keys.
type named map[string]bool

// add adds an interface that was or is there, if it has or had a public address.
func (n named) add(key string, before, after *record.EC2NetworkInterface) {
	if isPublic(before) || isPublic(after) {
		n[key] = true
	}
}

// addIn adds the interfaces in a VPC, by its key, that begins or ceases to name hosts.
func (n named) addIn(before, after store.Reader, key string) {
	old, was := store.EC2VPCs.Get(before, key)
	next, is := store.EC2VPCs.Get(after, key)
	if (was && old.NamesHosts()) == (is && next.NamesHosts()) {
		return
	}
	if !is {
		next = old
	}
	for i := range store.EC2NetworkInterfaces.By(after, store.ByVPC, *next.VPC.VpcId) {
		if isPublic(i) {
			n[i.Key()] = true
		}
	}
}

// diff is what their names differ in between two snapshots.
func (n named) diff(before, after store.Reader) desired.Change[desired.Record] {
	return desired.Between(n.records(before), n.records(after), (*desired.Record).Key)
}

func (n named) records(r store.Reader) (out []desired.Record) {
	for key := range n {
		if i, ok := store.EC2NetworkInterfaces.Get(r, key); ok {
			out = append(out, publicNames(r, i)...)
		}
	}
	return out
}

func isPublic(i *record.EC2NetworkInterface) bool {
	if i == nil {
		return false
	}
	for _, a := range i.Interface.PrivateIpAddresses {
		if a.Association != nil {
			return true
		}
	}
	return false
}

// publicNames are those of an interface.
func publicNames(r store.Reader, i *record.EC2NetworkInterface) []desired.Record {
	vpc, _ := store.EC2VPCs.Get(r, i.Scope.Key(*i.Interface.VpcId))
	return plan.PublicNames(vpc, i)
}

// allPublicNames are those of all interfaces.
func allPublicNames(r store.Reader) (out []desired.Record) {
	for i := range store.EC2NetworkInterfaces.All(r) {
		if isPublic(i) {
			out = append(out, publicNames(r, i)...)
		}
	}
	return out
}
