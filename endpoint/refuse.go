package endpoint

import (
	"io"
	"maps"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"fargo/aws/protocol"
	"fargo/aws/sigv4"
)

// What the endpoint answers itself, as AWS would. The codes are AWS's: "Common Errors"
// of each API reference, and what it answers to what names no operation. The messages
// are ours.
var (
	unavailable = &protocol.Error{
		Code: "ServiceUnavailable", Status: http.StatusServiceUnavailable, Fault: true,
		Message: "The request has failed due to a temporary failure of the server. Fargo: the control plane does not answer.",
	}
	unknown      = protocol.Errorf("UnknownOperationException", "The request names no operation.").WithStatus(http.StatusNotFound)
	notForOthers = protocol.Errorf("UnknownOperationException", "The request is for another host, which cannot be reached by way of Fargo's APIs.")
)

// refuse answers in the protocol that the request is in, as far as its head tells.
func refuse(w http.ResponseWriter, r *http.Request, e *protocol.Error) {
	if r.URL.Path == "/v2" || strings.HasPrefix(r.URL.Path, "/v2/") {
		refuseRegistry(w, e)
		return
	}
	name, service := "json", &protocol.Service{JSONVersion: "1.1"}
	sig, _ := sigv4.Parse(r) // nil when there is none
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		if strings.HasSuffix(r.Header.Get("Content-Type"), "json-1.0") {
			service.JSONVersion = "1.0"
		}
	case r.Header.Get("Smithy-Protocol") != "":
		name = "smithy-rpc-v2-cbor"
	case sig != nil && sig.Service == "ec2":
		name = "ec2"
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"), r.URL.Query().Has("Action"):
		name = "query"
	}
	answer := protocol.Answer{Header: http.Header{}}
	protocol.For(name).EncodeError(&protocol.Request{ID: uuid.NewString(), Service: service}, e, &answer)
	maps.Copy(w.Header(), answer.Header)
	w.WriteHeader(answer.Status)
	w.Write(answer.Body)
}

// refuseRegistry answers a client of the registry.
// Source: OCI Distribution Specification, "Error Codes".
func refuseRegistry(w http.ResponseWriter, e *protocol.Error) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(e.Status)
	io.WriteString(w, `{"errors":[{"code":"UNAVAILABLE","message":"`+e.Message+`"}]}`+"\n") //nolint:errcheck // the client has left
}
