package desired

import "fargo/secret"

// The types of version 1 are those of the present one with the secrets inside that
// are now named by a [SecretID]. Only what writes to a side of version 1, or reads
// what one has written, has values of them.

// StateV1 is [State] as version 1 has it.
type StateV1 struct {
	State
	Tasks     []AssignmentV1 `json:"tasks,omitempty"`
	Balancers []BalancerV1   `json:"balancers,omitempty"`
}

// DeltaV1 is [Delta] as version 1 has it.
type DeltaV1 struct {
	Delta
	Tasks     Change[AssignmentV1] `json:"tasks,omitzero"`
	Balancers Change[BalancerV1]   `json:"balancers,omitzero"`
}

// AssignmentV1 is [Assignment] as version 1 has it.
type AssignmentV1 struct {
	Assignment
	Containers []ContainerAssignmentV1 `json:"containers"`
}

// ContainerAssignmentV1 is [ContainerAssignment] as version 1 has it.
type ContainerAssignmentV1 struct {
	ContainerAssignment
	Pull PullSourceV1 `json:"pull"`
}

// PullSourceV1 is [PullSource] as version 1 has it.
type PullSourceV1 struct {
	PullSource
	Password secret.Exposed `json:"password,omitzero"`
}

// BalancerV1 is [Balancer] as version 1 has it.
type BalancerV1 struct {
	Balancer
	Listeners []BalancerListenerV1 `json:"listeners,omitempty"`
}

// BalancerListenerV1 is [BalancerListener] as version 1 has it.
type BalancerListenerV1 struct {
	BalancerListener
	Certificates []CertificateV1 `json:"certificates,omitempty"`
}

// CertificateV1 is [Certificate] as version 1 has it.
type CertificateV1 struct {
	Certificate
	Key secret.Exposed `json:"key"`
}

// ToV1 is d for a node of version 1. value gives the secrets; an error of it ends the
// translation.
func (d Delta) ToV1(value func(SecretID) (secret.Text, error)) (out DeltaV1, err error) {
	out = DeltaV1{Delta: d}
	out.Tasks.Gone, out.Balancers.Gone = d.Tasks.Gone, d.Balancers.Gone
	if out.Tasks.Put, err = tasksToV1(d.Tasks.Put, value); err != nil {
		return out, err
	}
	out.Balancers.Put, err = balancersToV1(d.Balancers.Put, value)
	return out, err
}

// ToV1 is s for a node of version 1; see [Delta.ToV1].
func (s State) ToV1(value func(SecretID) (secret.Text, error)) (out StateV1, err error) {
	out = StateV1{State: s}
	if out.Tasks, err = tasksToV1(s.Tasks, value); err != nil {
		return out, err
	}
	out.Balancers, err = balancersToV1(s.Balancers, value)
	return out, err
}

func tasksToV1(tasks []Assignment, value func(SecretID) (secret.Text, error)) ([]AssignmentV1, error) {
	out := make([]AssignmentV1, len(tasks))
	for i, a := range tasks {
		out[i] = AssignmentV1{Assignment: a, Containers: make([]ContainerAssignmentV1, len(a.Containers))}
		for j, c := range a.Containers {
			out[i].Containers[j] = ContainerAssignmentV1{ContainerAssignment: c, Pull: PullSourceV1{PullSource: c.Pull}}
			if c.Pull.PasswordID == "" {
				continue
			}
			v, err := value(c.Pull.PasswordID)
			if err != nil {
				return nil, err
			}
			out[i].Containers[j].Pull.Password = secret.Exposed{Text: v}
		}
	}
	return out, nil
}

func balancersToV1(balancers []Balancer, value func(SecretID) (secret.Text, error)) ([]BalancerV1, error) {
	out := make([]BalancerV1, len(balancers))
	for i, b := range balancers {
		out[i] = BalancerV1{Balancer: b, Listeners: make([]BalancerListenerV1, len(b.Listeners))}
		for j, l := range b.Listeners {
			out[i].Listeners[j] = BalancerListenerV1{BalancerListener: l, Certificates: make([]CertificateV1, len(l.Certificates))}
			for k, c := range l.Certificates {
				v, err := value(c.KeyID)
				if err != nil {
					return nil, err
				}
				out[i].Listeners[j].Certificates[k] = CertificateV1{Certificate: c, Key: secret.Exposed{Text: v}}
			}
		}
	}
	return out, nil
}

// Current is d as the present version has it, and the secrets that were inside. A
// delta of the present version has none.
func (d DeltaV1) Current() (Delta, []Secret) {
	var found []Secret
	out := d.Delta
	out.Tasks = Change[Assignment]{Gone: d.Tasks.Gone, Put: tasksFromV1(d.Tasks.Put, &found)}
	out.Balancers = Change[Balancer]{Gone: d.Balancers.Gone, Put: balancersFromV1(d.Balancers.Put, &found)}
	return out, found
}

// Current is s as the present version has it, and the secrets that were inside. A
// state of the present version has none.
func (s StateV1) Current() (State, []Secret) {
	var found []Secret
	out := s.State
	out.Tasks, out.Balancers = tasksFromV1(s.Tasks, &found), balancersFromV1(s.Balancers, &found)
	return out, found
}

// Current is a as the present version has it, and the secrets that were inside.
func (a AssignmentV1) Current() (Assignment, []Secret) {
	var found []Secret
	return tasksFromV1([]AssignmentV1{a}, &found)[0], found
}

func tasksFromV1(tasks []AssignmentV1, found *[]Secret) (out []Assignment) {
	for _, t := range tasks {
		a := t.Assignment
		a.Containers = nil
		for _, c := range t.Containers {
			current := c.ContainerAssignment
			current.Pull = c.Pull.PullSource
			if !c.Pull.Password.IsZero() {
				current.Pull.PasswordID = RegistryPasswordOf(a.TaskARN)
				*found = append(*found, Secret{current.Pull.PasswordID, c.Pull.Password.Text})
			}
			a.Containers = append(a.Containers, current)
		}
		out = append(out, a)
	}
	return out
}

func balancersFromV1(balancers []BalancerV1, found *[]Secret) (out []Balancer) {
	for _, v1 := range balancers {
		b := v1.Balancer
		b.Listeners = nil
		for _, l := range v1.Listeners {
			current := l.BalancerListener
			current.Certificates = nil
			for _, c := range l.Certificates {
				certificate := c.Certificate
				if !c.Key.IsZero() {
					certificate.KeyID = CertificateKeyOf(c.Chain)
					*found = append(*found, Secret{certificate.KeyID, c.Key.Text})
				}
				current.Certificates = append(current.Certificates, certificate)
			}
			b.Listeners = append(b.Listeners, current)
		}
		out = append(out, b)
	}
	return out
}
