package sigv4

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// version2Region is where URLs that are presigned by version 2, which names no region,
// are for.
const version2Region = "us-east-1"

// isVersion2 reports whether a URL is presigned by Signature Version 2, as aws s3 presign
// and boto3 still do for us-east-1. It is taken for S3 alone.
// Source: S3 developer guide, "Signing and authenticating REST requests (AWS signature
// version 2)", "Query string request authentication alternative".
func isVersion2(query string) bool {
	return strings.Contains(query, "AWSAccessKeyId=") && strings.Contains(query, "Signature=") && strings.Contains(query, "Expires=")
}

func parseVersion2(q url.Values) (*Signature, error) {
	seconds, err := strconv.ParseInt(q.Get("Expires"), 10, 64)
	if err != nil {
		return nil, errorf(Malformed, "Invalid date (should be seconds since epoch): %s", q.Get("Expires"))
	}
	mac, err := base64.StdEncoding.DecodeString(q.Get("Signature"))
	if err != nil {
		return nil, errorf(Mismatch, mismatchText)
	}
	return &Signature{
		AccessKeyID: q.Get("AWSAccessKeyId"), Region: version2Region, Service: "s3", Token: q.Get("x-amz-security-token"),
		Time: time.Unix(seconds, 0), presigned: true, version2: true, mac: mac,
	}, nil
}

// currentVersion2 checks that a URL, whose time is that of its end, is still good.
func (s *Signature) currentVersion2(now time.Time) error {
	if now.After(s.Time) {
		return errorf(ExpiredURL, "Signature expired: %s is now earlier than %s", s.Time.UTC().Format(stampFormat), now.UTC().Format(stampFormat))
	}
	return nil
}

func (s *Signature) verifyVersion2(r *http.Request, secret string) error {
	if !s.matchesVersion2(r, secret) {
		return errorf(Mismatch, mismatchText)
	}
	return nil
}

// maxBucketName is the length of the longest.
// Source: S3 user guide, "General purpose bucket naming rules".
const maxBucketName = 63

// matchesVersion2 reports whether the signature is that of a request.
func (s *Signature) matchesVersion2(r *http.Request, secret string) bool {
	return slices.ContainsFunc(signedPaths(r), func(path string) bool {
		h := hmac.New(sha1.New, []byte(secret))
		h.Write([]byte(s.textVersion2(r, path)))
		return hmac.Equal(h.Sum(nil), s.mac)
	})
}

// signedPaths are those that a client may have signed: the path has the bucket in it, also
// when the client had it in the host.
func signedPaths(r *http.Request) []string {
	paths := []string{r.URL.EscapedPath()}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	for i := range min(len(host), maxBucketName+1) {
		if host[i] == '.' {
			paths = append(paths, "/"+host[:i]+r.URL.EscapedPath())
		}
	}
	return paths
}

// textVersion2 is the text that is signed.
func (s *Signature) textVersion2(r *http.Request, path string) string {
	q := r.URL.Query()
	lines := []string{
		r.Method, r.Header.Get("Content-Md5") + q.Get("content-md5"), r.Header.Get("Content-Type") + q.Get("content-type"), q.Get("Expires"),
	}
	lines = append(lines, amzHeaders(r.Header, q)...)
	return strings.Join(append(lines, path+subresources(q)), "\n")
}

// amzHeaders are the lines of all x-amz- headers, which may be in the URL too.
func amzHeaders(h http.Header, q url.Values) []string {
	all := map[string]string{}
	for _, given := range []map[string][]string{h, q} {
		for name, values := range given {
			if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
				all[name] = strings.Join(values, ",")
			}
		}
	}
	var lines []string
	for name, value := range all {
		lines = append(lines, name+":"+value)
	}
	slices.Sort(lines)
	return lines
}

// signedParameters are those of a URL's parameters that version 2 signs.
var signedParameters = []string{
	"accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location", "logging", "metrics",
	"notification", "object-lock", "partNumber", "policy", "replication", "requestPayment", "response-cache-control",
	"response-content-disposition", "response-content-encoding", "response-content-language", "response-content-type", "response-expires",
	"restore", "select", "select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website",
}

func subresources(q url.Values) string {
	var parts []string
	for _, name := range signedParameters {
		if !q.Has(name) {
			continue
		}
		if value := q.Get(name); value != "" {
			name += "=" + value
		}
		parts = append(parts, name)
	}
	if len(parts) == 0 {
		return ""
	}
	return "?" + strings.Join(parts, "&")
}
