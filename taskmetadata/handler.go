package taskmetadata

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"

	"fargo/desired"
	"fargo/host"
)

// handler answers in a VPC.
func (s *Server) handler(vpc string) http.Handler {
	mux := http.NewServeMux()
	for _, version := range []string{"3", "4"} {
		prefix := "/v" + version + "/{id}"
		ofContainer, ofTask := s.inContainer(vpc, version, "container"), s.inContainer(vpc, version, "task")
		mux.Handle(prefix, ofContainer("metadata", s.containerMetadata))
		mux.Handle(prefix+"/{$}", ofContainer("metadata", s.containerMetadata))
		mux.Handle(prefix+"/stats", ofContainer("stats", s.containerStats))
		mux.Handle(prefix+"/task", ofTask("metadata", s.taskMetadata))
		mux.Handle(prefix+"/taskWithTags", ofTask("metadata", s.taskMetadataWithTags))
		mux.Handle(prefix+"/task/stats", ofTask("stats", s.taskStats))
	}
	s.handleVersion2(mux, vpc)
	mux.HandleFunc("/v1/credentials", func(w http.ResponseWriter, r *http.Request) {
		s.credentials(w, r, s.asking(vpc, r), "CredentialsV1Request: ", r.URL.Query().Get("id"))
	})
	mux.HandleFunc("/v2/credentials/{id...}", func(w http.ResponseWriter, r *http.Request) {
		s.credentials(w, r, s.asking(vpc, r), "CredentialsV2Request: ", r.PathValue("id"))
	})
	s.handleRuntime(mux, vpc)
	protection := "/api/{id}/task-protection/v1/state"
	mux.HandleFunc("GET "+protection, func(w http.ResponseWriter, r *http.Request) {
		s.getProtection(w, r, s.asking(vpc, r))
	})
	mux.HandleFunc("PUT "+protection, func(w http.ResponseWriter, r *http.Request) {
		s.updateProtection(w, r, s.asking(vpc, r))
	})
	return mux
}

// handleVersion2 answers as versions 3 and 4 do, but where no id says who asks, and an id
// names any container of the task.
func (s *Server) handleVersion2(mux *http.ServeMux, vpc string) {
	for path, answers := range map[string]struct {
		task, container func(*http.Request, *host.Task, int) any
	}{
		"/v2/metadata":         {s.taskMetadata, s.containerMetadata},
		"/v2/metadataWithTags": {s.taskMetadataWithTags, s.containerMetadata},
		"/v2/stats":            {s.taskStats, s.containerStats},
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if t := s.asking(vpc, r); t != nil {
				write(w, http.StatusOK, answers.task(r, t, 0))
				return
			}
			write(w, http.StatusBadRequest, "There is no task at this address.")
		})
		mux.HandleFunc(path+"/{id}", func(w http.ResponseWriter, r *http.Request) {
			t := s.asking(vpc, r)
			if i := containerIndex(t, r.PathValue("id")); i >= 0 {
				write(w, http.StatusOK, answers.container(r, t, i))
				return
			}
			write(w, http.StatusBadRequest, "The task has no such container.")
		})
	}
}

// asking is the task that asks; nil when there is none at the address.
func (s *Server) asking(vpc string, r *http.Request) *host.Task {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return nil
	}
	t, ok := s.cfg.Tasks.TaskAt(vpc, from.Addr().Unmap())
	if !ok {
		return nil
	}
	return t
}

// containerIndex finds a task's container by its id in a path; -1 when it is not the
// task's.
func containerIndex(t *host.Task, id string) int {
	if t == nil {
		return -1
	}
	return slices.IndexFunc(t.Assignment.Containers, func(c desired.ContainerAssignment) bool { return c.RuntimeID == id })
}

// inContainer makes handlers of what is asked in a container, about itself or its task.
func (s *Server) inContainer(vpc, version, about string) func(kind string, answer func(*http.Request, *host.Task, int) any) http.Handler {
	return func(kind string, answer func(*http.Request, *host.Task, int) any) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			t, id := s.asking(vpc, r), r.PathValue("id")
			i := containerIndex(t, id)
			if i < 0 {
				refuseContainer(w, version, about, kind, id)
				return
			}
			write(w, http.StatusOK, answer(r, t, i))
		})
	}
}

// refuseContainer is for an id that is of no container of the task.
// Source: amazon-ecs-agent, handlers of versions 3 and 4.
func refuseContainer(w http.ResponseWriter, version, about, kind, id string) {
	status := http.StatusNotFound
	if version == "3" {
		status = http.StatusBadRequest
	}
	looked := "task arn from request: unable to get task Arn"
	if about == "container" && kind == "metadata" {
		looked = "container ID from request: unable to get docker ID"
	}
	write(w, status, "V"+version+" "+about+" "+kind+" handler: unable to get "+looked+" from v3 endpoint ID: "+id)
}

// write answers with JSON. What is JSON already goes out as it is.
func write(w http.ResponseWriter, status int, value any) {
	body, ok := value.(json.RawMessage)
	if !ok {
		var err error
		if body, err = json.Marshal(value); err != nil {
			http.Error(w, "Internal server error", http.StatusInternalServerError)
			return
		}
	}
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	w.Write(body) // a client that left is told nothing
}

var jsonType = []string{"application/json"}
