package plan_test

import (
	"slices"
	"strings"
	"testing"

	"fargo/plan"
)

func TestParseEnvironmentFiles(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		want  []string
	}{
		{"none", nil, nil},
		{"empty", []string{""}, nil},
		{"plain", []string{"A=1\nB=2"}, []string{"A=1", "B=2"}},
		{"last line counts", []string{"A=1\nB=2\nA=3\n"}, []string{"A=3", "B=2"}},
		{"first file counts", []string{"A=1\n", "A=2\nB=3\n"}, []string{"A=1", "B=3"}},
		{"verbatim", []string{"A= x y \nB=\"q\"\nC='$HOME'\nexport D=1\nE=a=b"}, []string{"A= x y ", `B="q"`, "C='$HOME'", "export D=1", "E=a=b"}},
		{"comments", []string{"#A=1\n #B=2\nC=3 # not one"}, []string{" #B=2", "C=3 # not one"}},
		{"no variable", []string{"A\n=B\n\nC=1"}, []string{"C=1"}},
		{"carriage returns", []string{"A=1\r\nB=2\r\n"}, []string{"A=1", "B=2"}},
		{"without a value", []string{"A=\nB=1", "A=2"}, []string{"B=1"}},
	} {
		if got := plan.ParseEnvironmentFiles(c.files); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Every variable has a name and a value, comes once, and was in a file.
func FuzzParseEnvironmentFiles(f *testing.F) {
	f.Add("A=1\nB=2", "#C\r\nA==")
	f.Fuzz(func(t *testing.T, a, b string) {
		seen := map[string]bool{}
		for _, v := range plan.ParseEnvironmentFiles([]string{a, b}) {
			name, value, ok := strings.Cut(v, "=")
			if !ok || name == "" || value == "" || seen[name] || !strings.Contains(a+"\n"+b, v) {
				t.Errorf("%q of %q and %q", v, a, b)
			}
			seen[name] = true
		}
	})
}

func TestEnvironmentFileObject(t *testing.T) {
	for _, c := range []struct{ arn, bucket, key string }{
		{"arn:aws:s3:::bucket/app.env", "bucket", "app.env"},
		{"arn:aws:s3:::bucket/a/b.env", "bucket", "a/b.env"},
		{"arn:aws:s3:::bucket/a.txt", "", ""},
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
