//go:build e2e

package kernel

import (
	"net/netip"
	"testing"

	"fargo/desired"
	"fargo/host"
)

func entry(allow bool, protocol, cidr string, from, to int) desired.ACLEntry {
	return desired.ACLEntry{Allow: allow, Protocol: protocol, CIDR: netip.MustParsePrefix(cidr), FromPort: from, ToPort: to}
}

// listed is a VPC with two interfaces in each of two subnets. The list of the second
// lets HTTP in, and out to ephemeral ports, as AWS's documentation has it.
func listed() host.Network {
	v := worldVPC("vpc-1", "10.1.0.0/16")
	addSubnet(&v, 0, "client", []desired.Route{internetHop})
	addSubnet(&v, 1, "server", []desired.Route{internetHop})
	v.ACLs = append(v.ACLs, desired.ACL{
		ID: "acl-web",
		Ingress: []desired.ACLEntry{
			entry(false, "tcp", "10.1.0.20/32", 80, 80),
			entry(true, "tcp", "0.0.0.0/0", 80, 80),
		},
		Egress: []desired.ACLEntry{entry(true, "tcp", "0.0.0.0/0", 32768, 65535)},
	})
	v.Subnets[1].ACL = "acl-web"
	n := host.Network{VPCs: []desired.VPC{v}, Interfaces: []desired.Interface{
		worldENI(v, 0, 10), worldENI(v, 0, 20), worldENI(v, 1, 10), worldENI(v, 1, 20),
	}}
	n.Interfaces[0].Public, n.Interfaces[2].Public = netip.MustParseAddr("240.31.0.10"), netip.MustParseAddr("240.31.1.10")
	return n
}

func TestACLs(t *testing.T) {
	n, far := newRouted(t, Config{Instance: "a054"})
	network := listed()
	apply(t, n, network)
	for _, e := range network.Interfaces {
		for _, port := range []uint16{80, 81} {
			serve(t, n, e.ID, port)
		}
	}
	client, barred, server := from(n, "eni-10.1.0.10"), from(n, "eni-10.1.0.20"), from(n, "eni-10.1.1.10")
	allowed(t, client, "10.1.1.10:80", "eni-10.1.1.10")
	denied(t, client, "10.1.1.10:81")
	denied(t, barred, "10.1.1.10:80")                   // an entry before the one that allows
	denied(t, server, "10.1.0.10:80")                   // nothing goes out to port 80
	allowed(t, server, "10.1.1.20:81", "eni-10.1.1.20") // within a subnet lists say nothing
	// By public addresses, in and out of the VPC, the same holds.
	allowed(t, client, "240.31.1.10:80", "eni-10.1.1.10")
	denied(t, client, "240.31.1.10:81")
	allowed(t, from(far, "outside"), "240.31.1.10:80", "eni-10.1.1.10")
	denied(t, from(far, "outside"), "240.31.1.10:81")
	// And for the machine, by either address.
	allowed(t, fromMachine, "10.1.1.10:80", "eni-10.1.1.10")
	allowed(t, fromMachine, "240.31.1.10:80", "eni-10.1.1.10")
	denied(t, fromMachine, "10.1.1.10:81")

	// Lists know nothing of connections: one that has begun stops with its entry.
	c, err := client(t.Context(), netip.MustParseAddrPort("10.1.1.10:80"))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	network.VPCs[0].ACLs[1].Egress[0].FromPort = 60999
	network.VPCs[0].ACLs[1].Egress[0].ToPort = 61000 // beyond the client's ephemeral ports
	apply(t, n, network)
	denied(t, client, "10.1.1.10:80") // the answer does not come out
	denied(t, fromMachine, "10.1.1.10:80")
}

// What passes a NAT gateway crosses the border of its subnet, both ways, with the
// addresses and ports that it has there.
func TestACLsAroundNAT(t *testing.T) {
	n, far := newRouted(t, Config{Instance: "a055"})
	serveOutside(t, far, "203.0.113.1:80")
	all := []desired.ACLEntry{entry(true, "-1", "0.0.0.0/0", 0, 0)}
	try := func(ingress, egress []desired.ACLEntry) error {
		network := natWorld(1)
		v := &network.VPCs[0]
		v.ACLs = append(v.ACLs, desired.ACL{ID: "acl-nat", Ingress: ingress, Egress: egress})
		v.Subnets[0].ACL = "acl-nat"
		apply(t, n, network)
		_, err := ask(from(n, "eni-10.1.1.10"), 2*soon, "203.0.113.1:80")
		return err
	}
	for _, test := range []struct {
		name            string
		ingress, egress []desired.ACLEntry
		fails           bool
	}{
		{
			"what is needed",
			[]desired.ACLEntry{entry(true, "tcp", "10.1.1.0/24", 80, 80), entry(true, "tcp", "203.0.113.1/32", 1024, 65535)},
			[]desired.ACLEntry{entry(true, "tcp", "203.0.113.1/32", 80, 80), entry(true, "tcp", "10.1.1.0/24", 32768, 65535)},
			false,
		},
		{"not to the gateway", []desired.ACLEntry{entry(false, "tcp", "10.1.1.0/24", 80, 80), all[0]}, all, true},
		{"not from the gateway to the Internet", all, []desired.ACLEntry{entry(false, "tcp", "203.0.113.1/32", 80, 80), all[0]}, true},
		{"no answers to the gateway", []desired.ACLEntry{entry(false, "tcp", "203.0.113.1/32", 1024, 65535), all[0]}, all, true},
		{"no answers from the gateway", all, []desired.ACLEntry{entry(false, "tcp", "10.1.1.0/24", 1024, 65535), all[0]}, true},
	} {
		if err := try(test.ingress, test.egress); (err != nil) != test.fails {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// The router's own services are beyond lists and groups, but the platform is closed to
// isolated interfaces, and all of it to others than interfaces. S3's own address is open and
// closed by itself.
func TestPlatformAddress(t *testing.T) {
	n := newTestNetwork(t, "a056")
	network := listed()
	network.VPCs[0].ACLs[1].Ingress, network.VPCs[0].ACLs[1].Egress = nil, nil
	network.VPCs[0].Groups = append(network.VPCs[0].Groups, desired.SecurityGroup{ID: "sg-none"})
	network.Interfaces[2].Groups = []string{"sg-none"}
	network.VPCs[0].Subnets[0].S3For = desired.PlatformForNone
	network.VPCs[0].Subnets[1].PlatformFor = desired.PlatformForPublic // which interface 3 is not
	network.VPCs[0].S3 = desired.ServiceAddress{Address: netip.MustParseAddr("198.51.100.1")}
	apply(t, n, network)
	for _, addr := range []string{"10.1.0.3:80", "10.1.0.3:443", "10.1.0.3:81", "198.51.100.1:443", "198.51.100.1:81", "10.1.0.2:53", "169.254.170.2:80"} {
		l, err := n.ListenTCP("vpc-1", netip.MustParseAddrPort(addr))
		if err != nil {
			t.Fatal(err)
		}
		answer(t, l, addr)
	}
	task, isolated := from(n, "eni-10.1.1.10"), from(n, "eni-10.1.1.20")
	allowed(t, task, "10.1.0.3:80", "10.1.0.3:80")
	allowed(t, task, "10.1.0.3:443", "10.1.0.3:443")
	denied(t, task, "10.1.0.3:81")
	denied(t, isolated, "10.1.0.3:80")
	denied(t, isolated, "10.1.0.3:443")
	allowed(t, isolated, "198.51.100.1:443", "198.51.100.1:443") // by a gateway endpoint
	denied(t, isolated, "198.51.100.1:81")
	denied(t, from(n, "eni-10.1.0.10"), "198.51.100.1:443")
	for _, addr := range []string{"10.1.0.2:53", "169.254.170.2:80"} {
		allowed(t, task, addr, addr)
		allowed(t, isolated, addr, addr)
	}
	unreachableFromMachine(t, "10.1.0.3:80")
	network.VPCs[0].S3 = desired.ServiceAddress{}
	apply(t, n, network)
	denied(t, isolated, "198.51.100.1:443")
}

// A rule may name a group of a peer.
func TestGroupsOfPeers(t *testing.T) {
	n := newTestNetwork(t, "a057")
	network := world()
	network.VPCs[0].Groups = append(network.VPCs[0].Groups,
		desired.SecurityGroup{ID: "sg-web", Egress: allowAll, Ingress: []desired.Rule{{Protocol: "tcp", FromPort: 80, ToPort: 80, Group: "sg-friend"}}})
	network.VPCs[1].Groups = append(network.VPCs[1].Groups, desired.SecurityGroup{ID: "sg-friend", Egress: allowAll})
	two, other := network.VPCs[1], 0
	for i, e := range network.Interfaces {
		switch e.ID {
		case "eni-10.1.6.10":
			network.Interfaces[i].Groups = []string{"sg-web"}
		case "eni-10.2.0.10":
			network.Interfaces[i].Groups = []string{"sg-friend"}
			other = i
		}
	}
	stranger := worldENI(two, 0, 30)
	network.Interfaces = append(network.Interfaces, stranger)
	network = members(network)
	apply(t, n, network)
	serve(t, n, "eni-10.1.6.10", 80)
	allowed(t, from(n, network.Interfaces[other].ID), "10.1.6.10:80", "eni-10.1.6.10")
	denied(t, from(n, stranger.ID), "10.1.6.10:80")
	// A peering does not lead to the services of the other VPC.
	denied(t, from(n, stranger.ID), "10.1.0.3:80")
	// When the peering ends, nothing passes, and it can begin again.
	for _, peered := range []bool{false, true} {
		again := members(world())
		again.Interfaces = append(again.Interfaces, stranger)
		if !peered {
			again.VPCs[1].Peers = nil
		}
		apply(t, n, again)
		serve(t, n, "eni-10.1.6.20", 80)
		if got, err := ask(from(n, stranger.ID), 2*soon, "10.1.6.20:80"); (err == nil) != peered {
			t.Errorf("peered %v: got %q, %v", peered, got, err)
		}
	}
}
