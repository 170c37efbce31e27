package http1

import (
	"net/netip"
	"strconv"
	"strings"
)

// version is a version of HTTP/1 that a request may have.
type version uint8

const (
	version11            version = iota
	version10                    // RFC 1945
	version09                    // said, or none said: no body, and the connection ends with the answer
	versionNonStandard11         // 1.2 to 1.9, or 1.1 with spaces around it: read as 1.1
	versionNonStandard10         // 1.0 with spaces around it
	versionOther                 // another protocol
	versionNone                  // no version of anything
)

// versionOf reads the version of a request line.
func versionOf(s string) version {
	switch s {
	case "HTTP/1.1":
		return version11
	case "HTTP/1.0":
		return version10
	}
	s = strings.Trim(s, " ")
	number, ok := strings.CutPrefix(s, "HTTP/")
	switch {
	case s == "" || s == "HTTP/0.9":
		return version09
	case !ok || len(number) != len("1.1") || number[1] != '.' || !isDigit(number[0]) || !isDigit(number[2]):
		return versionNone
	case number == "1.0":
		return versionNonStandard10
	case number[0] == '1':
		return versionNonStandard11
	}
	return versionOther
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// checkVersion finds out whether the version tells how to read the request.
func (r *Request) checkVersion() {
	switch r.version {
	case version10:
		r.HTTP10 = true
	case version09, versionNonStandard10:
		r.HTTP10 = true
		r.note(Acceptable, "NonCompliantVersion")
	case versionNonStandard11:
		r.note(Acceptable, "NonCompliantVersion")
	case versionOther:
		r.refuse(Severe, 505, "BadVersion")
	case versionNone:
		r.refuse(Severe, 400, "BadVersion")
	}
}

// splitLine parts a request line. The version begins at the first space that
// "HTTP/" follows; there may be spaces in what is before it.
func splitLine(line string) (method, target, version string) {
	method, rest, _ := strings.Cut(line, " ")
	if target, ok := strings.CutSuffix(rest, " HTTP/1.1"); ok && target != "" && strings.IndexByte(target, ' ') < 0 {
		return method, target, "HTTP/1.1"
	}
	i := strings.Index(rest, " HTTP/")
	if i < 0 {
		return splitOldLine(method, rest)
	}
	target, version = strings.TrimRight(rest[:i], " "), rest[i+1:]
	if len(target) < i {
		version = " " + version // had spaces before it
	}
	return method, target, version
}

// splitOldLine parts what follows the method in a line without a version, which
// has a target and nothing else. What could be read as a version by servers that
// take more than a space for one makes it a line with a wrong version.
// Source: RFC 9112 section 3.
func splitOldLine(method, rest string) (_, target, version string) {
	target = strings.TrimRight(rest, " ")
	if i := strings.LastIndexByte(target, ' '); i >= 0 {
		return method, target[:i], target[i+1:]
	}
	if target == "" || strings.IndexFunc(target, func(c rune) bool { return c < ' ' }) >= 0 {
		return method, target, "none"
	}
	return method, target, ""
}

// checkTarget finds what may not be in a target, and encodes it.
func (r *Request) checkTarget(target string) {
	if !isTarget(target) {
		target = r.encode(target)
	}
	r.parseTarget(target)
	if r.Path == "" {
		r.refuse(Severe, 400, "BadUri")
	}
}

// isTarget reports whether s has only what may be in a target. As for AWS's
// library, what is not ASCII may, and "#".
func isTarget(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// encode notes what may not be in a target, and gives the target with it
// percent-encoded. Spaces around it are left out.
func (r *Request) encode(target string) string {
	var b strings.Builder
	if target[0] == ' ' {
		r.note(Acceptable, "SpaceInUri")
		target = strings.TrimLeft(target, " ")
	}
	for i := range len(target) {
		c := target[i]
		switch {
		case c == '\r' || c == '\n':
			r.refuse(Severe, 400, "BadUri")
		case c == 0:
			r.note(Severe, "BadUri")
		case c == ' ':
			r.note(Acceptable, "SpaceInUri")
		case c < ' ' || c == 0x7f:
			r.note(Ambiguous, "AmbiguousUri")
		default:
			b.WriteByte(c)
			continue
		}
		const hex = "0123456789ABCDEF"
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

// parseTarget reads a target that has only what it may have. Path is empty when
// it is none for a server that is not the last. No target is that of the root,
// as for AWS's library.
func (r *Request) parseTarget(target string) {
	r.Target, r.Path = target, ""
	path := target
	switch lower := len("http://"); {
	case path == "":
		path = "/"
	case path[0] == '/' || path == "*" && r.Method == "OPTIONS":
	case len(path) > lower && strings.EqualFold(path[:lower], "http://"):
		path = r.cutAuthority(path[lower:])
	case len(path) > lower+1 && strings.EqualFold(path[:lower+1], "https://"):
		path = r.cutAuthority(path[lower+1:])
	default:
		return
	}
	if r.Path, r.Query, _ = strings.Cut(path, "?"); r.Path == "" {
		r.Path = "/"
	}
}

// cutAuthority takes the authority from an absolute target.
func (r *Request) cutAuthority(target string) (path string) {
	end := strings.IndexAny(target, "/?#")
	if end < 0 {
		end = len(target)
	}
	if r.Authority = target[:end]; r.Authority == "" || !isAuthority(r.Authority) {
		r.refuse(Severe, 400, "BadUri")
	}
	if path = target[end:]; strings.HasPrefix(path, "#") {
		path = "/" + path
	}
	return path
}

// isAuthority reports whether s can be a host with or without port. A port is a
// number that a port can have. Source: RFC 3986 section 3.2.
func isAuthority(s string) bool {
	host, port := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		address, err := netip.ParseAddr(s[1:end])
		if err != nil || !address.Is6() || address.Zone() != "" {
			return false
		}
		if host, port = "", s[end+1:]; port != "" && port[0] != ':' {
			return false
		}
		port = strings.TrimPrefix(port, ":")
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		host, port = s[:i], s[i+1:]
	}
	for i := range len(host) {
		if !hostByte[host[i]] {
			return false
		}
	}
	if port == "" {
		return true
	}
	_, err := strconv.ParseUint(port, 10, 16)
	return err == nil
}

// hostByte marks the bytes that may be in a host's name. Source: RFC 3986,
// section 3.2.2, reg-name.
var hostByte = func() (t [256]bool) {
	t = tokenByte
	for c := range t {
		t[c] = t[c] && strings.IndexByte("#^`|", byte(c)) < 0 || strings.IndexByte("();=", byte(c)) >= 0
	}
	return t
}()
