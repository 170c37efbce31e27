package sigv4

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parse reads the signature in a request's headers or URL.
func Parse(r *http.Request) (*Signature, error) {
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		return parseHeader(r, authorization)
	}
	if strings.Contains(r.URL.RawQuery, "X-Amz-Algorithm=") {
		return parseURL(r.URL.Query())
	}
	if isVersion2(r.URL.RawQuery) {
		return parseVersion2(r.URL.Query())
	}
	return nil, errorf(Missing, "Missing Authentication Token")
}

func parseHeader(r *http.Request, authorization string) (*Signature, error) {
	algorithm, rest, _ := strings.Cut(authorization, " ")
	if algorithm != Algorithm {
		return nil, errorf(Unsupported, "Unsupported AWS 'algorithm': '%s'.", algorithm)
	}
	var credential, headers, signature string
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case ok && name == "Credential":
			credential = value
		case ok && name == "SignedHeaders":
			headers = value
		case ok && name == "Signature":
			signature = value
		default:
			return nil, errorf(Malformed, "'%s' not a valid key=value pair (missing equal-sign) in Authorization header: '%s'.", part, authorization)
		}
	}
	stamp, err := headerTime(r)
	if err != nil {
		return nil, err
	}
	if credential == "" || headers == "" || signature == "" || stamp == "" {
		return nil, incomplete(credential, headers, signature, stamp, authorization)
	}
	s := &Signature{Token: r.Header.Get("X-Amz-Security-Token")}
	if err := s.set(credential, headers, signature, stamp); err != nil {
		return nil, err
	}
	return s, s.covers(r.Header)
}

// incomplete says which parts are not there.
func incomplete(credential, headers, signature, stamp, authorization string) error {
	var text strings.Builder
	for _, part := range [][2]string{{"Credential", credential}, {"Signature", signature}, {"SignedHeaders", headers}} {
		if part[1] == "" {
			text.WriteString("Authorization header requires '" + part[0] + "' parameter. ")
		}
	}
	if stamp == "" {
		text.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	return errorf(Malformed, "%sAuthorization=%s", text.String(), authorization)
}

// headerTime gives the time of signing, from X-Amz-Date or else Date, or "".
func headerTime(r *http.Request) (string, error) {
	if stamp := r.Header.Get("X-Amz-Date"); stamp != "" {
		return stamp, nil
	}
	date := r.Header.Get("Date")
	if date == "" {
		return "", nil
	}
	for _, layout := range []string{http.TimeFormat, time.RFC1123Z} {
		if t, err := time.Parse(layout, date); err == nil {
			return t.UTC().Format(stampFormat), nil
		}
	}
	return "", badDate(date)
}

func badDate(date string) error {
	return errorf(Malformed, "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", date)
}

func parseURL(q url.Values) (*Signature, error) {
	if algorithm := q.Get("X-Amz-Algorithm"); algorithm != Algorithm {
		return nil, errorf(Unsupported, "Unsupported AWS 'algorithm': '%s'.", algorithm)
	}
	for _, name := range []string{"X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date"} {
		if q.Get(name) == "" {
			return nil, errorf(Malformed, "AWS query-string parameters must include '%s'. Re-examine the query-string parameters.", name)
		}
	}
	s := &Signature{presigned: true, Token: q.Get("X-Amz-Security-Token"), Expires: skew}
	if text := q.Get("X-Amz-Expires"); text != "" {
		seconds, err := strconv.ParseInt(text, 10, 32)
		s.Expires = time.Duration(seconds) * time.Second
		if err != nil || s.Expires < 0 || s.Expires > maxExpires {
			return nil, errorf(Malformed, "X-Amz-Expires must be between 0 and %d seconds", int(maxExpires.Seconds()))
		}
	}
	if err := s.set(q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Signature"), q.Get("X-Amz-Date")); err != nil {
		return nil, err
	}
	return s, nil
}

// set reads the parts that both forms have.
func (s *Signature) set(credential, headers, signature, stamp string) (err error) {
	if s.Time, err = time.Parse(stampFormat, stamp); err != nil {
		return badDate(stamp)
	}
	s.stamp = stamp
	if s.mac, err = hex.DecodeString(signature); err != nil {
		return errorf(Mismatch, mismatchText)
	}
	s.SignedHeaders = strings.Split(headers, ";")
	if repeats(s.SignedHeaders) {
		return errorf(Mismatch, mismatchText)
	}
	if !slices.Contains(s.SignedHeaders, "host") {
		return errorf(Malformed, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return s.scope(credential)
}

// repeats reports whether a name is there twice. What is signed has the value of a header
// once for each time, and so could be very much longer than the request.
func repeats(names []string) bool {
	sorted := names
	if !slices.IsSorted(names) { // as clients have them
		sorted = slices.Sorted(slices.Values(names))
	}
	for i := range len(sorted) - 1 {
		if sorted[i] == sorted[i+1] {
			return true
		}
	}
	return false
}

// scope reads "AKID/20150830/us-east-1/ecs/aws4_request".
func (s *Signature) scope(credential string) error {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || parts[0] == "" {
		return errorf(Malformed, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", credential)
	}
	s.AccessKeyID, s.date, s.Region, s.Service = parts[0], parts[1], parts[2], parts[3]
	if parts[4] != terminator {
		return errorf(Scope, "Credential should be scoped with a valid terminator: '%s', not '%s'.", terminator, parts[4])
	}
	if s.date != s.stamp[:len(dateFormat)] {
		return errorf(Scope, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			s.date, s.stamp[:len(dateFormat)], s.stamp)
	}
	return nil
}

// covers tells whether the headers that the check relies on are signed.
func (s *Signature) covers(h http.Header) error {
	date := "X-Amz-Date"
	if h[date] == nil {
		date = "Date"
	}
	for _, name := range []string{date, "X-Amz-Security-Token", "X-Amz-Content-Sha256"} {
		if h[name] != nil && !slices.ContainsFunc(s.SignedHeaders, func(n string) bool { return strings.EqualFold(n, name) }) {
			return errorf(Malformed, "'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	return nil
}
