package api

import (
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"

	"fargo"
	"fargo/policy"
)

// FailureMessages encode why a request was denied, for those who may decode it: a caller
// who may not sees nothing of the policies. A message is encrypted and authenticated, and
// is of one account.
type FailureMessages struct{ aead cipher.AEAD }

// NewFailureMessages makes them with a key of 32 bytes.
func NewFailureMessages(key []byte) (*FailureMessages, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &FailureMessages{aead}, err
}

// maxFailureMessage is the length of the longest message that can be decoded.
// Source: STS API, DecodeAuthorizationMessage.
const maxFailureMessage = 10240

// maxDecoded bounds, in bytes, what a message can be decompressed to.
const maxDecoded = 1 << 20

// encode gives the message of an account about a denial. The values of condition keys are
// left out if they make it too long.
func (m *FailureMessages) encode(account string, c *conditions, d policy.Decision) string {
	f := newFailure(c, d)
	message := m.seal(account, f)
	if len(message) > maxFailureMessage {
		f.Context.Conditions = listOf[keyed]()
		message = m.seal(account, f)
	}
	return message
}

func (m *FailureMessages) seal(account string, f failure) string {
	var packed strings.Builder
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		err = json.NewEncoder(w).Encode(f)
	}
	if err != nil {
		panic(err) // the level is one, and a strings.Builder takes everything
	}
	w.Close()
	return base64.RawURLEncoding.EncodeToString(m.aead.Seal(nil, nil, []byte(packed.String()), []byte(account)))
}

// Decode gives the JSON of a message that was encoded for an account; ok is false for
// anything else.
func (m *FailureMessages) Decode(account, message string) (decoded string, ok bool) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(message)
	if err != nil || strings.ContainsAny(message, "\r\n") { // which the decoder skips
		return "", false
	}
	packed, err := m.aead.Open(nil, nil, sealed, []byte(account))
	if err != nil {
		return "", false
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(strings.NewReader(string(packed))), maxDecoded))
	return strings.TrimSpace(string(text)), err == nil
}

// failure is the content of a message.
// Source: AWS CLI reference, the example of decode-authorization-message, and decoded
// messages in public reports.
type failure struct {
	Allowed           bool            `json:"allowed"`
	ExplicitDeny      bool            `json:"explicitDeny"`
	MatchedStatements items[matching] `json:"matchedStatements"`
	Failures          items[struct{}] `json:"failures"`
	Context           struct {
		Principal struct {
			ID   string `json:"id"`
			Name string `json:"name,omitempty"` // of a user
			ARN  string `json:"arn"`
		} `json:"principal"`
		Action     string       `json:"action"`
		Resource   string       `json:"resource"`
		Conditions items[keyed] `json:"conditions"`
	} `json:"context"`
}

type items[T any] struct {
	Items []T `json:"items"`
}

// listOf is a list that is not null when it is empty.
func listOf[T any](all ...T) items[T] { return items[T]{append([]T{}, all...)} }

type value struct {
	Value string `json:"value"`
}

func valuesOf(texts ...string) items[value] {
	l := listOf[value]()
	for _, t := range texts {
		l.Items = append(l.Items, value{t})
	}
	return l
}

// keyed are the values of a condition key.
type keyed struct {
	Key    string       `json:"key"`
	Values items[value] `json:"values"`
}

// matching is the statement that denied.
type matching struct {
	StatementID     string          `json:"statementId"`
	Effect          string          `json:"effect"`
	Principals      items[value]    `json:"principals"`
	PrincipalGroups items[struct{}] `json:"principalGroups"`
	Actions         items[value]    `json:"actions"`
	Resources       items[value]    `json:"resources"`
	Conditions      items[keyed]    `json:"conditions"`
}

func newFailure(c *conditions, d policy.Decision) failure {
	f := failure{
		ExplicitDeny: d.Effect == policy.ExplicitDeny, Failures: listOf[struct{}](), MatchedStatements: listOf[matching](),
	}
	if s := d.Statement; s != nil {
		id, _, _ := strings.Cut(c.PrincipalID, ":") // of a session, its role's
		m := matching{
			StatementID: s.SID, Effect: "DENY", Principals: valuesOf(id), PrincipalGroups: listOf[struct{}](),
			Actions: valuesOf(s.Actions...), Resources: valuesOf(s.Resources...), Conditions: listOf[keyed](),
		}
		for _, condition := range s.Conditions {
			m.Conditions.Items = append(m.Conditions.Items, keyed{condition.Key, valuesOf(condition.Values...)})
		}
		f.MatchedStatements = listOf(m)
	}
	f.Context.Principal.ID, f.Context.Principal.Name, f.Context.Principal.ARN = c.PrincipalID, c.UserName(), c.PrincipalARN
	f.Context.Action, f.Context.Resource = d.Action, d.Resource
	f.Context.Conditions = c.shown(d.Resource)
	return f
}

// shown are the condition keys that a request has of its own, with their values: what its
// resource is called, its tags, and what its input says.
func (c *conditions) shown(resource string) items[keyed] {
	shown := listOf[keyed]()
	add := func(key string, values ...string) {
		if len(values) > 0 {
			shown.Items = append(shown.Items, keyed{key, valuesOf(values...)})
		}
	}
	if a, ok := fargo.ParseARN(resource); ok {
		kind, _, _ := strings.Cut(a.Resource, "/")
		add("aws:ARN", resource)
		add("aws:Account", a.Account)
		add("aws:Region", a.Region)
		add("aws:Resource", a.Resource)
		add("aws:Service", a.Service)
		add("aws:Type", kind)
	}
	for _, key := range c.row.Keys() {
		add(key, c.Values(strings.ToLower(key), resource)...)
	}
	for _, key := range slices.Sorted(maps.Keys(c.access.Keys)) {
		add(key, c.access.Keys[key]...)
	}
	tags := c.row.requestTags(c.in)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		add("aws:RequestTag/"+key, tags[key])
	}
	if c.Actions.Tags == nil {
		return shown
	}
	tags = c.Actions.Tags(c.State, resource)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		add("aws:ResourceTag/"+key, tags[key])
		add(c.Actions.Prefix+":ResourceTag/"+key, tags[key])
	}
	return shown
}
