package fargo

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
)

// The account and region of a fresh installation.
const (
	DefaultAccount = "123456789012"
	DefaultRegion  = "us-east-1"
)

// Scope is the account and region that a resource lives in. Region is empty
// for global services (IAM).
type Scope struct {
	Account string
	Region  string
}

// Key is the store key of a resource in this scope: account, region and the
// parts, separated by slashes. Key() with no parts ends in a slash and is the
// prefix of all keys in the scope.
func (s Scope) Key(parts ...string) string {
	return s.Account + "/" + s.Region + "/" + strings.Join(parts, "/")
}

// ARN makes the name of a resource in this scope:
// arn:aws:<service>:<region>:<account>:<resource>.
func (s Scope) ARN(service, resource string) string {
	return "arn:aws:" + service + ":" + s.Region + ":" + s.Account + ":" + resource
}

// ARN is an Amazon Resource Name, taken apart.
// Source: IAM user guide, "Amazon Resource Names (ARNs)".
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ParseARN takes s apart; ok is false when s is not an ARN.
func ParseARN(s string) (a ARN, ok bool) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[2] == "" || p[5] == "" {
		return ARN{}, false
	}
	return ARN{p[1], p[2], p[3], p[4], p[5]}, true
}

// Name is the last part of the resource: "web" of "service/production/web".
func (a ARN) Name() string { return a.Resource[strings.LastIndexAny(a.Resource, "/:")+1:] }

// Scope is where the resource lives.
func (a ARN) Scope() Scope { return Scope{a.Account, a.Region} }

// NewHex gives n random hexadecimal digits: the tail of a task ARN (32) or of
// an EC2 id (17).
func NewHex(n int) string {
	b := make([]byte, (n+1)/2)
	rand.Read(b) // never fails: see crypto/rand
	return hex.EncodeToString(b)[:n]
}

// NewDeploymentDigits makes the 19 digits that name a service's deployment and
// its revision.
func NewDeploymentDigits() string {
	n, err := rand.Int(rand.Reader, big.NewInt(8_000_000_000_000_000_000))
	if err != nil {
		panic(err) // the system's randomness never fails: see crypto/rand
	}
	return n.Add(n, big.NewInt(1_000_000_000_000_000_000)).String()
}

// NewEC2ID makes an id in EC2's style: "sg-" and 17 hexadecimal digits.
func NewEC2ID(prefix string) string { return prefix + "-" + NewHex(17) }

// NewIAMID makes a unique id of IAM: a prefix that says of what ("AROA" of a
// role) and 17 letters and digits.
// Source: IAM user guide, "Unique identifiers".
func NewIAMID(prefix string) string { return prefix + randomBase32(17) }

// NewAccessKeyID makes the id of an access key: "AKIA" begins a user's, "ASIA"
// a session's.
func NewAccessKeyID(prefix string) string { return prefix + randomBase32(16) }

func randomBase32(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base32.StdEncoding.EncodeToString(b)[:n]
}

// NewSecretKey makes the secret of an access key: 40 characters.
func NewSecretKey() string {
	b := make([]byte, 30)
	rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}

// ClusterOf gives the cluster name in an ECS resource like
// "task/production/0123…" or "service/production/web".
func ClusterOf(arn ARN) string {
	parts := strings.Split(arn.Resource, "/")
	if len(parts) == 3 {
		return parts[1]
	}
	return ""
}

// TargetKey names a target in a target group: by the group's ARN, the target's id
// and its port.
func TargetKey(group, id string, port int) string {
	return group + "/" + id + "/" + strconv.Itoa(port)
}
