package desired

import (
	"net/netip"
	"time"

	"fargo/aws/elbv2"
)

// Balancer is one load balancer as a node must run it.
type Balancer struct {
	ARN  string `json:"arn"`
	Name string `json:"name"` // the metrics' dimension: "app/api-alb/50dc6c495c0c9188"
	// Network says that it works on connections (NLB), not requests (ALB).
	Network bool `json:"network,omitempty"`
	// Interfaces are where it listens and where its requests come from, and Zones
	// the zones they are in, one each.
	Interfaces []Interface        `json:"interfaces"`
	Zones      []string           `json:"zones,omitempty"`
	Listeners  []BalancerListener `json:"listeners,omitempty"`
	// Attributes by AWS's keys, defaults included.
	Attributes map[string]string `json:"attributes"`
}

// BalancerListener is a port and what happens there.
type BalancerListener struct {
	ARN      string `json:"arn"`
	Protocol string `json:"protocol"` // HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP
	Port     uint16 `json:"port"`
	// Certificates for HTTPS and TLS; the first is the default, the others are
	// chosen by SNI.
	Certificates []Certificate `json:"certificates,omitempty"`
	SSLPolicy    string        `json:"sslPolicy,omitempty"`
	ALPN         []string      `json:"alpn,omitempty"`
	// Rules in the order they are tried; the last is the default, without
	// conditions.
	Rules      []BalancerRule    `json:"rules"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

// Certificate is a certificate chain, in PEM, and the name of its private key.
type Certificate struct {
	ARN   string   `json:"arn"`
	Chain string   `json:"chain"`
	KeyID SecretID `json:"keyId"`
}

// BalancerRule is a rule as the user wrote it.
type BalancerRule struct {
	ARN        string                `json:"arn"`
	Priority   string                `json:"priority"` // "1" to "50000", "default"
	Conditions []elbv2.RuleCondition `json:"conditions,omitempty"`
	Transforms []elbv2.RuleTransform `json:"transforms,omitempty"`
	Actions    []elbv2.Action        `json:"actions"` // in their order
}

// BalancerGroup is a target group as a node must check and use it.
type BalancerGroup struct {
	ARN   string            `json:"arn"`
	Name  string            `json:"name"` // the metrics' dimension: "targetgroup/api/73e2d6bc24d8a067"
	Group elbv2.TargetGroup `json:"group"`
	// Attributes by AWS's keys, defaults included.
	Attributes map[string]string `json:"attributes"`
	Targets    []BalancerTarget  `json:"targets,omitempty"`
	// Zonal says that each interface of the balancer uses the targets of its own
	// zone only (cross-zone load balancing is off).
	Zonal bool `json:"zonal,omitempty"`
}

// BalancerTarget is a target with the address it has now.
type BalancerTarget struct {
	ID      string         `json:"id"`
	Port    int            `json:"port"`
	Address netip.AddrPort `json:"address"`
	// Zone is where it is; "" and "all" mean that it is as near to every zone.
	Zone string `json:"zone,omitempty"`
	// RegisteredAt tells a target from an earlier one with the same address.
	RegisteredAt time.Time `json:"registeredAt"`
	// Draining targets finish what they have and get nothing new.
	Draining bool `json:"draining,omitempty"`
}

// TargetReport is what a node has seen of a target's health: initial, healthy,
// unhealthy or unavailable, with AWS's reason and description. What is draining
// or unused, the control plane knows without it.
type TargetReport struct {
	Group        string    `json:"group"`
	ID           string    `json:"id"`
	Port         int       `json:"port"`
	RegisteredAt time.Time `json:"registeredAt"`

	State       string `json:"state"`
	Reason      string `json:"reason,omitempty"`
	Description string `json:"description,omitempty"`
}
