package s3

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"fargo/store"
)

// Locate gives the URL of a request with the bucket in its path, whether the client had
// it there or in the host, and whether the host is S3's. It is for [api.Mounted].
func (s *Server) Locate(r *http.Request) (u *url.URL, ours bool) {
	exists := func(name string) bool { _, ok := store.Buckets.Get(s.DB.View(), name); return ok }
	creates := r.Method == http.MethodPut && r.URL.Path == "/" && r.URL.RawQuery == ""
	bucket, ours := bucketOfHost(r.Host, exists, creates)
	if bucket == "" {
		return r.URL, ours
	}
	located := *r.URL
	located.Path, located.RawPath = "/"+bucket+r.URL.Path, "/"+bucket+r.URL.EscapedPath()
	return &located, ours
}

// bucketOfHost is the bucket that a host names, "" for none; ours says that the host is
// S3's. Those of AWS are s3.<region>.amazonaws.com and s3.amazonaws.com, alone or after
// a bucket and a dot. Any other host with dots may be the endpoint's own, or that after
// a bucket and a dot: it is the latter when there is such a bucket, or one is created.
// Source: S3 user guide, "Virtual hosting of general purpose buckets".
func bucketOfHost(host string, exists func(name string) bool, creates bool) (bucket string, ours bool) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return "", false
	}
	host = strings.ToLower(host)
	if rest, ok := strings.CutSuffix(host, ".amazonaws.com"); ok {
		return bucketOfAWS(rest)
	}
	for i := range min(len(host), maxBucketName+1) {
		if host[i] == '.' && exists(host[:i]) {
			return host[:i], false
		}
	}
	if name, ok := strings.CutSuffix(host, ".localhost"); ok && creates {
		return name, false
	}
	return "", false
}

// maxBucketName is the length of the longest name.
// Source: S3 user guide, "General purpose bucket naming rules".
const maxBucketName = 63

// bucketOfAWS takes apart what is before ".amazonaws.com".
func bucketOfAWS(host string) (bucket string, ours bool) {
	labels := strings.Split(host, ".")
	for i := len(labels) - 1; i >= 0; i-- {
		if label := labels[i]; label == "s3" || strings.HasPrefix(label, "s3-") {
			return strings.Join(labels[:i], "."), true
		}
	}
	return "", false
}
