package taskmetadata

import (
	"encoding/json"
	"sync"
	"time"

	"fargo/host"
)

const (
	// sampleAge is how old what is answered may be.
	sampleAge = time.Second
	// forgetAfter is how long nobody has to ask about a container for its samples to go.
	forgetAfter = time.Hour
)

// sample is what was counted of a container at a time.
type sample struct {
	host.Statistics
	network *host.InterfaceStatistics // nil without an interface
}

// samples are the last two of each container that somebody has asked about, by its id.
type samples struct {
	mu sync.Mutex
	of map[string]*series
}

// series are the last samples of a container.
type series struct {
	mu     sync.Mutex
	latest *sample
	body   json.RawMessage // the answer
}

// series gives that of a container, and drops those that nobody asks for.
func (s *samples) series(id string) *series {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.of[id]; known != nil {
		return known
	}
	for id, old := range s.of {
		if old.isForgotten() {
			delete(s.of, id)
		}
	}
	s.of[id] = new(series)
	return s.of[id]
}

func (s *series) isForgotten() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest == nil || time.Since(s.latest.Read) > forgetAfter
}

// sample gives what container i of a task uses, as JSON; null when it has nothing that
// counts.
func (s *Server) sample(t *host.Task, i int) json.RawMessage {
	c := &t.Assignment.Containers[i]
	of := s.samples.series(c.RuntimeID)
	of.mu.Lock()
	defer of.mu.Unlock()
	if of.latest != nil && time.Since(of.latest.Read) < sampleAge {
		return of.body
	}
	now, err := s.read(t, c.RuntimeID)
	if err != nil {
		s.cfg.Logger.Debug("no statistics", "container", c.RuntimeID, "err", err)
		of.latest = nil
		return null
	}
	body, err := json.Marshal(newStats(c.Name, c.RuntimeID, now, of.latest))
	if err != nil {
		return null
	}
	of.latest, of.body = now, body
	return body
}

func (s *Server) read(t *host.Task, containerID string) (*sample, error) {
	counted, err := s.cfg.Containers.Statistics(t.Assignment.ID, containerID)
	if err != nil {
		return nil, err
	}
	now := &sample{Statistics: counted}
	if i := t.Assignment.Interface; i != nil {
		network, err := s.cfg.Network.InterfaceStatistics(i.ID)
		if err != nil {
			return nil, err
		}
		now.network = &network
	}
	return now, nil
}
