package taskmetadata

import (
	"context"
	"crypto/subtle"
	"net/http"
	"time"

	"fargo/host"
)

// credentialsTimeout is how long credentials are waited for that are not there yet: SDKs
// give up after two seconds and ask again.
const credentialsTimeout = 1500 * time.Millisecond

// credentialsError is how credentials are refused.
// Source: amazon-ecs-agent, handlers of credentials.
type credentialsError struct {
	Code          string `json:"code"`
	Message       string `json:"message"`
	HTTPErrorCode int
}

// credentials gives the credentials of the role of the task that asks, which has to know
// their id too.
func (s *Server) credentials(w http.ResponseWriter, r *http.Request, t *host.Task, prefix, id string) {
	refuse := func(status int, code, message string) {
		write(w, status, credentialsError{code, prefix + message, status})
	}
	switch {
	case id == "":
		refuse(http.StatusBadRequest, "NoIdInRequest", "No Credential ID in the request")
		return
	case t == nil || t.CredentialsID == "" || subtle.ConstantTimeCompare([]byte(id), []byte(t.CredentialsID)) == 0:
		refuse(http.StatusBadRequest, "InvalidIdInRequest", "Credentials not found")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), credentialsTimeout)
	defer cancel()
	given, err := s.cfg.Tasks.Credentials(ctx, t)
	if err != nil {
		s.cfg.Logger.Debug("no credentials", "task", t.Assignment.TaskARN, "err", err)
		refuse(http.StatusServiceUnavailable, "CredentialsUninitialized", "Credentials uninitialized for ID")
		return
	}
	write(w, http.StatusOK, given)
}
