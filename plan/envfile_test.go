package plan_test

import (
	"slices"
	"strings"
	"testing"

	"fargo/aws/protocol"
	"fargo/plan"
)

func TestParseEnvironmentFile(t *testing.T) {
	for _, c := range []struct {
		name string
		file string
		want []string
	}{
		{"empty", "", nil},
		{"plain", "A=1\nB=2", []string{"A=1", "B=2"}},
		{"last line counts", "A=1\nB=2\nA=3\n", []string{"A=3", "B=2"}},
		{"verbatim", "A= x y \nB=\"q\"\nC='$HOME'\nexport D=1\nE=a=b", []string{"A= x y ", `B="q"`, "C='$HOME'", "export D=1", "E=a=b"}},
		{"comments", "#A=1\n #B=2\nC=3 # not one", []string{" #B=2", "C=3 # not one"}},
		{"no variable", "A\n=B\n\nC=1", []string{"C=1"}},
		{"carriage returns", "A=1\r\nB=2\r\n", []string{"A=1", "B=2"}},
		{"without a value", "A=\nB=1\nC=1\nC=", []string{"B=1"}},
	} {
		if got := plan.ParseEnvironmentFile(c.file); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Every variable has a name and a value, comes once, and was in the file.
func FuzzParseEnvironmentFile(f *testing.F) {
	f.Add("A=1\nB=2\n#C\r\nA==")
	f.Fuzz(func(t *testing.T, file string) {
		seen := map[string]bool{}
		for _, v := range plan.ParseEnvironmentFile(file) {
			name, value, ok := strings.Cut(v, "=")
			if !ok || name == "" || value == "" || seen[name] || !strings.Contains(file, v) {
				t.Errorf("%q of %q", v, file)
			}
			seen[name] = true
		}
	})
}

func TestEnvironmentFileFailure(t *testing.T) {
	got := plan.EnvironmentFileFailure("GetBucketLocation", protocol.Errorf("AccessDenied", "no").WithStatus(403))
	const want = "ResourceInitializationError: failed to download env files: service call has been retried 1 time(s): " +
		"operation error S3: GetBucketLocation, https response error StatusCode: 403, api error AccessDenied: no"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestEnvironmentFileObject(t *testing.T) {
	for _, c := range []struct{ arn, bucket, key string }{
		{"arn:aws:s3:::bucket/app.env", "bucket", "app.env"},
		{"arn:aws:s3:::bucket/a/b.env", "bucket", "a/b.env"},
		{"arn:aws:s3:::bucket/", "", ""},
		{"arn:aws:s3:us-east-1:123456789012:accesspoint/a/object/a.env", "", ""},
		{"arn:aws:s3:::bucket", "", ""},
		{"arn:aws:s3:::/a.env", "", ""},
		{"arn:aws:ssm:us-east-1:123456789012:bucket/a.env", "", ""},
		{"bucket/a.env", "", ""},
	} {
		bucket, key, ok := plan.EnvironmentFileObject(c.arn)
		if ok != (c.bucket != "") || ok && (bucket != c.bucket || key != c.key) {
			t.Errorf("%s: %q %q %v", c.arn, bucket, key, ok)
		}
	}
}
