package dispatch

import (
	"encoding/json"

	"fargo/desired"
	"fargo/secret"
)

// up is a message from a node within its session. The first one has nothing but Node
// and Contract, the version of package desired that the node has, and Hello. Of a
// node of a version without Hello, Node is all there is to know.
type up struct {
	Node     string         `json:"node,omitempty"`
	Contract int            `json:"contract,omitempty"`
	Hello    *desired.Hello `json:"hello,omitempty"`

	Reports []desired.TaskReport   `json:"reports,omitempty"`
	Version uint64                 `json:"version,omitempty"` // of Reports, to be acknowledged
	Targets []desired.TargetReport `json:"targets,omitempty"`
	// Empty says that the node holds nothing of tasks or load balancers.
	Empty bool `json:"empty,omitempty"`
}

// down is a message to a node: exactly one field is set. The first one of a
// session is Desired.
type down struct {
	Desired      *desired.State `json:"desired,omitempty"`
	Delta        *desired.Delta `json:"delta,omitempty"`
	Acknowledged uint64         `json:"acknowledged,omitempty"`
}

// secretRequest asks for a secret, and secretAnswer is the only message with one.
type secretRequest struct {
	ID desired.SecretID `json:"id"`
}

type secretAnswer struct {
	Value secret.Exposed `json:"value"`
}

// tagsRequest asks for the tags of a task.
type tagsRequest struct {
	TaskARN string `json:"taskArn"`
}

type tagsAnswer struct {
	Tags map[string]string `json:"tags,omitempty"`
}

// invocationRequest asks what a task that runs a function is to do.
type invocationRequest struct {
	TaskARN string `json:"taskArn"`
}

// position is the answer to a log batch.
type position struct {
	To int64 `json:"to"`
}

type nothing struct{}

// codec carries messages as JSON: package desired describes them, and nothing else
// needs to.
type codec struct{}

func (codec) Name() string                       { return "json" }
func (codec) Marshal(v any) ([]byte, error)      { return json.Marshal(v) }
func (codec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }
