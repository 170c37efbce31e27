package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"fargo/balancer/worker"
	"fargo/desired"
	"fargo/dispatch"
	"fargo/dns"
	"fargo/ecsexec"
	"fargo/endpoint"
	"fargo/flowlog"
	"fargo/host"
	"fargo/kernel"
	"fargo/node"
	"fargo/secret"
	"fargo/taskmetadata"
)

// balancerFollower hands the load balancers of the desired state over to their fleet.
type balancerFollower struct{ fleet *worker.Fleet }

func (b balancerFollower) Follow(ctx context.Context, d desired.State, secrets map[desired.SecretID]secret.Text) error {
	return b.fleet.Set(ctx, d.Balancers, d.Groups, secrets)
}

// dnsFollower hands the names of the desired state over to the DNS server.
type dnsFollower struct{ server *dns.Server }

func (n dnsFollower) Follow(_ context.Context, d desired.State, _ map[desired.SecretID]secret.Text) error {
	n.server.Set(d.VPCs, d.Records, d.Platform.Names)
	return nil
}

// endpointFollower hands the places of Fargo's APIs over to their server.
type endpointFollower struct{ server *endpoint.Server }

func (e endpointFollower) Follow(_ context.Context, d desired.State, secrets map[desired.SecretID]secret.Text) error {
	return e.server.Set(d.VPCs, d.Endpoints, d.Platform, secrets)
}

// metadataFollower hands the VPCs over to the server that answers tasks about themselves.
type metadataFollower struct{ server *taskmetadata.Server }

func (m metadataFollower) Follow(_ context.Context, d desired.State, _ map[desired.SecretID]secret.Text) error {
	m.server.Set(d.VPCs, d.Platform.Upstream)
	return nil
}

// metadataTasks is what that server knows of tasks: what the node does, their tags, and
// their invocations.
type metadataTasks struct {
	*node.Node
	client *dispatch.Client
}

func (m metadataTasks) Tags(ctx context.Context, t *host.Task) (map[string]string, error) {
	return m.client.TaskTags(ctx, t.Assignment.TaskARN)
}

func (m metadataTasks) NextInvocation(ctx context.Context, t *host.Task) (desired.Invocation, error) {
	return m.client.NextInvocation(ctx, t.Assignment.TaskARN)
}

func (m metadataTasks) PutInvocationResult(ctx context.Context, _ *host.Task, r desired.InvocationResult) error {
	return m.client.PutInvocationResult(ctx, r)
}

// execFollower hands the sessions of ECS Exec over to their server.
type execFollower struct{ server *ecsexec.Server }

func (e execFollower) Follow(_ context.Context, d desired.State, _ map[desired.SecretID]secret.Text) error {
	e.server.Set(d.ExecSessions)
	return nil
}

// flowLogFollower hands the flow logs of the desired state over to their writer.
type flowLogFollower struct{ writer *flowlog.Writer }

func (f flowLogFollower) Follow(ctx context.Context, d desired.State, _ map[desired.SecretID]secret.Text) error {
	return f.writer.Follow(ctx, d)
}

// balancerNetwork is the machine's network as load balancers use it.
type balancerNetwork struct{ kernel *kernel.Network }

func (n balancerNetwork) ListenTCP(interfaceID string, port uint16) (net.Listener, error) {
	return n.kernel.ListenInterfaceTCP(interfaceID, port)
}

func (n balancerNetwork) ListenUDP(interfaceID string, port uint16) (net.PacketConn, error) {
	return n.kernel.ListenInterfaceUDP(interfaceID, port)
}

func (n balancerNetwork) Dial(ctx context.Context, interfaceID, network, address string) (net.Conn, error) {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.HasPrefix(network, "tcp"):
		return n.kernel.DialInterfaceTCP(ctx, interfaceID, to)
	case strings.HasPrefix(network, "udp"):
		return n.kernel.DialInterfaceUDP(ctx, interfaceID, to)
	}
	return nil, fmt.Errorf("dial %s: %w", network, net.UnknownNetworkError(network))
}
