package store

import (
	"net/netip"

	"fargo/record"
)

// PublicAddressTaken reports whether a public address is allocated, or an interface has
// it.
func PublicAddressTaken(r Reader, a netip.Addr) bool {
	for range EC2Addresses.By(r, AddressByPublicIP, a.String()) {
		return true
	}
	for range EC2NetworkInterfaces.By(r, InterfaceByPublic, a.String()) {
		return true
	}
	return false
}

// AssociateAddress associates an Elastic IP address with a private address of an
// interface. What either was associated with before, it is no more.
func AssociateAddress(tx *Tx, a *record.EC2Address, i *record.EC2NetworkInterface, private, association string) {
	DisassociateAddress(tx, a)
	for other := range EC2Addresses.By(tx, AddressByInterface, *i.Interface.NetworkInterfaceId) {
		if *other.Address.PrivateIpAddress == private {
			EC2Addresses.Put(tx, other.Disassociated())
		}
	}
	// The interface may be the one that the address was taken from.
	if stored, ok := EC2NetworkInterfaces.Get(tx, i.Key()); ok {
		i = stored
	}
	next := a.AssociatedWith(i, private, association)
	EC2Addresses.Put(tx, next)
	EC2NetworkInterfaces.Put(tx, i.WithAssociation(private, next.Association()))
}

// DisassociateAddress takes an Elastic IP address from the interface it is associated
// with, if any. It stays allocated.
func DisassociateAddress(tx *Tx, a *record.EC2Address) {
	if a.Address.NetworkInterfaceId == nil {
		return
	}
	if i, ok := EC2NetworkInterfaces.Get(tx, a.Scope.Key(*a.Address.NetworkInterfaceId)); ok {
		EC2NetworkInterfaces.Put(tx, i.WithAssociation(*a.Address.PrivateIpAddress, nil))
	}
	EC2Addresses.Put(tx, a.Disassociated())
}

// DeleteInterface deletes an interface by its key. A public address that it was given
// automatically goes with it; Elastic IP addresses stay allocated.
func DeleteInterface(tx *Tx, key string) {
	i, ok := EC2NetworkInterfaces.Get(tx, key)
	if !ok {
		return
	}
	for a := range EC2Addresses.By(tx, AddressByInterface, *i.Interface.NetworkInterfaceId) {
		EC2Addresses.Put(tx, a.Disassociated())
	}
	EC2NetworkInterfaces.Delete(tx, key)
}
