package cloudtrail

import (
	"crypto/tls"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"fargo/api"
	"fargo/aws/protocol"
)

// maxParameters is the largest size, in bytes, of the parameters and of the response in a
// record.
// Source: CloudTrail user guide, "CloudTrail record contents".
const maxParameters = 100 << 10

// buffers are for records, which Append copies.
var buffers = sync.Pool{New: func() any { return new(object) }}

// maxKept is the size, in bytes, of the largest buffer that is used again.
const maxKept = 64 << 10

// Served implements [api.Observer].
func (r *Recorder) Served(s *api.Served) {
	kept, _ := buffers.Get().(*object)
	readOnly := isReadOnly(s)
	b := appendRecord((*kept)[:0], s, readOnly, isData(s))
	r.Append(b, !readOnly)
	if cap(b) <= maxKept {
		*kept = b
		buffers.Put(kept)
	}
}

// appendRecord appends the record of a call.
// Source: CloudTrail user guide, "CloudTrail record contents".
func appendRecord(b object, s *api.Served, readOnly, data bool) object {
	b = append(b, '{').text("eventVersion", "1.11")
	b = appendIdentity(b.open("userIdentity"), s.Call).end()
	b = b.time("eventTime", time.Now())
	b = b.text("eventSource", s.Of.SigningName+".amazonaws.com")
	b = b.text("eventName", s.Operation.Name)
	b = b.text("awsRegion", s.Region)
	b = b.text("sourceIPAddress", source(s))
	b = b.optional("userAgent", agent(s))
	if s.Err != nil {
		b = b.text("errorCode", errorCode(s)).text("errorMessage", s.Err.Message)
	}
	b = appendParameters(b.member("requestParameters"), s.Input)
	out := s.Output
	if readOnly {
		out = nil
	}
	b = appendParameters(b.member("responseElements"), out)
	b = b.text("requestID", s.RequestID)
	b = b.text("eventID", uuid.NewString())
	b = b.boolean("readOnly", readOnly)
	b = b.text("eventType", "AwsApiCall")
	b = b.boolean("managementEvent", !data)
	b = b.text("recipientAccountId", s.Account)
	b = b.text("eventCategory", category(data))
	if o := s.Origin; o != nil && strings.HasPrefix(o.At, "vpce-") {
		b = b.text("vpcEndpointId", o.At)
	}
	if s.HTTP != nil && s.HTTP.TLS != nil {
		b = appendTLS(b.open("tlsDetails"), s).end()
	}
	return b.end()
}

func category(data bool) string {
	if data {
		return "Data"
	}
	return "Management"
}

// internally is what stands for the address and the program of a call that came over no
// network.
const internally = "AWS Internal"

func source(s *api.Served) string {
	switch {
	case s.InvokedBy != "":
		return s.InvokedBy
	case s.SourceAddress.IsValid():
		return s.SourceAddress.String()
	}
	return internally
}

func agent(s *api.Served) string {
	switch {
	case s.InvokedBy != "":
		return s.InvokedBy
	case s.HTTP == nil:
		return internally
	}
	return s.UserAgent
}

// appendParameters appends an input or an output without what is sensitive. Those of a
// forwarded service are not known.
func appendParameters(b object, v any) object {
	if _, forwarded := v.(*api.Forwarded); forwarded || v == nil {
		return append(b, "null"...)
	}
	before := len(b)
	b = protocol.AppendPublic(b, v)
	switch size := len(b) - before; {
	case size == len("{}"):
		return append(b[:before], "null"...)
	case size > maxParameters:
		b = append(b[:before], '{').boolean("omitted", true).member("originalSize")
		return object(strconv.AppendInt(b, int64(size), 10)).text("reason", "too_long").end()
	}
	return b
}

// errorCode is how records name an error.
// Source: events of CloudTrail in public logs.
func errorCode(s *api.Served) string {
	code := s.Err.Code
	switch {
	case s.Of.Name == "ec2" && s.Err.Fault:
		return "Server." + code
	case s.Of.Name == "ec2":
		return "Client." + code
	case code == "AccessDeniedException":
		return "AccessDenied"
	}
	return code
}

func appendTLS(b object, s *api.Served) object {
	c := s.HTTP.TLS
	return b.text("tlsVersion", versions[c.Version]).text("cipherSuite", tls.CipherSuiteName(c.CipherSuite)).
		text("clientProvidedHostHeader", s.Host)
}

// versions are the names of versions of TLS in records.
var versions = map[uint16]string{tls.VersionTLS12: "TLSv1.2", tls.VersionTLS13: "TLSv1.3"}
