package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// entry is one key and value of a JSON object, in the order of the text.
type entry struct {
	Key   string
	Value json.RawMessage
}

// ordered is a JSON object that keeps its order: members are generated in the
// order AWS lists them.
type ordered []entry

// UnmarshalJSON lays an object over what o has: a key that is there gets another value
// and keeps its place, so that a patch names only what it changes.
func (o *ordered) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return fmt.Errorf("not an object but %v", t)
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return err
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return err
		}
		key := k.(string)
		if i := slices.IndexFunc(*o, func(e entry) bool { return e.Key == key }); i >= 0 {
			(*o)[i].Value = v
		} else {
			*o = append(*o, entry{key, v})
		}
	}
	return nil
}

type model struct {
	Metadata   metadata             `json:"metadata"`
	Operations map[string]operation `json:"operations"`
	Shapes     map[string]*shape    `json:"shapes"`
}

type metadata struct {
	APIVersion     string   `json:"apiVersion"`
	EndpointPrefix string   `json:"endpointPrefix"`
	JSONVersion    string   `json:"jsonVersion"`
	Protocol       string   `json:"protocol"`
	Protocols      []string `json:"protocols"`
	ServiceID      string   `json:"serviceId"`
	SigningName    string   `json:"signingName"`
	TargetPrefix   string   `json:"targetPrefix"`
	XMLNamespace   string   `json:"xmlNamespace"`
	// Namespace is that of the shapes, which only a patch knows.
	Namespace string `json:"namespace"`
	// QueryCompatible is there, and empty, for a service that had the query protocol only.
	QueryCompatible *struct{} `json:"awsQueryCompatible"`
}

type operation struct {
	HTTP struct {
		Method       string `json:"method"`
		RequestURI   string `json:"requestUri"`
		ResponseCode int    `json:"responseCode"`
	} `json:"http"`
	Input  *ref  `json:"input"`
	Output *ref  `json:"output"`
	Errors []ref `json:"errors"`
}

// ref is a use of a shape, with what the use adds to it.
type ref struct {
	Shape            string `json:"shape"`
	LocationName     string `json:"locationName"`
	QueryName        string `json:"queryName"`
	Location         string `json:"location"`
	ResultWrapper    string `json:"resultWrapper"`
	TimestampFormat  string `json:"timestampFormat"`
	Flattened        bool   `json:"flattened"`
	Streaming        bool   `json:"streaming"`
	IdempotencyToken bool   `json:"idempotencyToken"`
	XMLAttribute     bool   `json:"xmlAttribute"`
	// Filters are the documented names, of a member that is a list of filters.
	Filters []string `json:"filters"`
}

type shape struct {
	Type            string    `json:"type"`
	Required        []string  `json:"required"`
	RawMembers      ordered   `json:"members"`
	Member          *ref      `json:"member"`
	Key             *ref      `json:"key"`
	Value           *ref      `json:"value"`
	Enum            []string  `json:"enum"`
	Min             *float64  `json:"min"`
	Max             *float64  `json:"max"`
	Pattern         string    `json:"pattern"`
	Flattened       bool      `json:"flattened"`
	TimestampFormat string    `json:"timestampFormat"`
	Exception       bool      `json:"exception"`
	Fault           bool      `json:"fault"`
	Document        bool      `json:"document"`
	Streaming       bool      `json:"streaming"`
	EventStream     bool      `json:"eventstream"`
	Payload         string    `json:"payload"`
	Sensitive       bool      `json:"sensitive"`
	Error           *errTrait `json:"error"`

	members []member
}

type errTrait struct {
	Code           string `json:"code"`
	HTTPStatusCode int    `json:"httpStatusCode"`
}

type member struct {
	Name string
	ref
}

// patch is a correction to one service's model: parts of shapes and operations
// that are laid over what the model says.
type patch struct {
	Why        string                     `json:"why"`
	Metadata   json.RawMessage            `json:"metadata"`
	Operations map[string]json.RawMessage `json:"operations"`
	Shapes     map[string]json.RawMessage `json:"shapes"`
}

// apply lays the patch over a model.
func (p *patch) apply(m *model) error {
	if len(p.Metadata) > 0 {
		if err := json.Unmarshal(p.Metadata, &m.Metadata); err != nil {
			return fmt.Errorf("patch metadata: %w", err)
		}
	}
	for name, over := range p.Operations {
		op, known := m.Operations[name]
		if !known {
			return fmt.Errorf("patch %s: no such operation", name)
		}
		if err := json.Unmarshal(over, &op); err != nil {
			return fmt.Errorf("patch %s: %w", name, err)
		}
		m.Operations[name] = op
	}
	for name, over := range p.Shapes {
		s := m.Shapes[name]
		if s == nil {
			s = &shape{}
			m.Shapes[name] = s
		}
		if err := json.Unmarshal(over, s); err != nil {
			return fmt.Errorf("patch %s: %w", name, err)
		}
	}
	return nil
}

func readPatches(path string) (map[string][]patch, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var p map[string][]patch
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, nil
}

func readModel(path string, patches []patch) (*model, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var m model
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for _, p := range patches {
		if err := p.apply(&m); err != nil {
			return nil, err
		}
	}
	for name, s := range m.Shapes {
		for _, e := range s.RawMembers {
			mm := member{Name: e.Key}
			if err := json.Unmarshal(e.Value, &mm.ref); err != nil {
				return nil, fmt.Errorf("%s.%s: %w", name, e.Key, err)
			}
			s.members = append(s.members, mm)
		}
	}
	return &m, nil
}
