package plan

import (
	"slices"
	"strings"
	"testing"

	"fargo/aws/ecs"
)

const (
	secretARN    = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-url-AbCdEf"
	parameterARN = "arn:aws:ssm:us-east-1:123456789012:parameter/prod/api-key"
)

func TestParseValueFrom(t *testing.T) {
	const refused = "an invalid ARN format for the AWS Secrets Manager secret was specified. Specify a valid ARN and try again."
	bare := strings.TrimSuffix(secretARN, "-AbCdEf")
	for _, c := range []struct {
		from, refused string
		want          ValueFrom
	}{
		{from: secretARN, want: ValueFrom{SecretID: secretARN}},
		{from: bare, want: ValueFrom{SecretID: bare}},
		{from: secretARN + ":username::", want: ValueFrom{SecretID: secretARN, JSONKey: "username"}},
		{from: secretARN + "::AWSPREVIOUS:", want: ValueFrom{SecretID: secretARN, Stage: "AWSPREVIOUS"}},
		{from: secretARN + ":::9d4cb84b-ad69-40c0-a0ab-cead3EXAMPLE", want: ValueFrom{SecretID: secretARN, VersionID: "9d4cb84b-ad69-40c0-a0ab-cead3EXAMPLE"}},
		{from: secretARN + ":k:AWSPREVIOUS:v", want: ValueFrom{SecretID: secretARN, JSONKey: "k", Stage: "AWSPREVIOUS", VersionID: "v"}},
		{from: secretARN + ":::", want: ValueFrom{SecretID: secretARN}},
		{from: secretARN + ":username", refused: refused},
		{from: secretARN + ":username:", refused: refused},
		{from: secretARN + ":username:::", refused: refused},
		{from: "arn:aws:secretsmanager:us-east-1:123456789012:secret", refused: refused},
		{from: "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:x", want: ValueFrom{SecretID: "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:x"}},
		{from: parameterARN, want: ValueFrom{Parameter: parameterARN}},
		{from: parameterARN + ":3", want: ValueFrom{Parameter: parameterARN + ":3"}},
		{from: "/prod/api-key", want: ValueFrom{Parameter: "/prod/api-key"}},
		{from: "api-key:live", want: ValueFrom{Parameter: "api-key:live"}},
		{from: "arn:aws:s3:::bucket/key", want: ValueFrom{Parameter: "arn:aws:s3:::bucket/key"}},
		{from: "", want: ValueFrom{}},
	} {
		got, err := ParseValueFrom(c.from)
		if text := ""; err != nil {
			text = err.Error()
			if text != c.refused {
				t.Errorf("%s: %v", c.from, err)
			}
		} else if c.refused != "" || got != c.want {
			t.Errorf("%s: %+v, want %+v %s", c.from, got, c.want, c.refused)
		}
	}
}

// What is read of a valueFrom is in it, and says the same when it is put together again.
func FuzzParseValueFrom(f *testing.F) {
	for _, s := range []string{secretARN, secretARN + ":k:s:v", secretARN + ":::", parameterARN, "/a:1", "::", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseValueFrom(s)
		whole := v.SecretID + ":" + v.JSONKey + ":" + v.Stage + ":" + v.VersionID
		switch {
		case err != nil:
			if v != (ValueFrom{}) || !strings.HasPrefix(s, "arn:") {
				t.Errorf("%q: %+v, %v", s, v, err)
			}
		case v.SecretID == "":
			if v.Parameter != s {
				t.Errorf("%q: %+v", s, v)
			}
		case v.Parameter != "" || whole != s && v.SecretID != s:
			t.Errorf("%q: %+v", s, v)
		}
	})
}

func TestTaskSecrets(t *testing.T) {
	const file, other = "arn:aws:s3:::b/file.env", "arn:aws:s3:::b/other.env"
	d := &ecs.TaskDefinition{ContainerDefinitions: []ecs.ContainerDefinition{
		{
			RepositoryCredentials: &ecs.RepositoryCredentials{CredentialsParameter: new("login")},
			Secrets:               []ecs.Secret{{Name: new("A"), ValueFrom: new("login")}, {Name: new("B"), ValueFrom: new("/b")}},
			EnvironmentFiles:      []ecs.EnvironmentFile{{Value: new(file)}, {Value: new(file)}},
		},
		{Name: new("overridden"), EnvironmentFiles: []ecs.EnvironmentFile{{Value: new("arn:aws:s3:::b/replaced.env")}}, Secrets: []ecs.Secret{{Name: new("C"), ValueFrom: new("/b")}, {Name: new("D"), ValueFrom: new("/d")}}},
	}}
	o := &ecs.TaskOverride{ContainerOverrides: []ecs.ContainerOverride{
		{Name: new("overridden"), EnvironmentFiles: []ecs.EnvironmentFile{{Value: new(other)}}},
	}}
	want := []TaskSecret{{From: "login", Registry: true}, {From: "login"}, {From: "/b"}, {From: file, File: true}, {From: "/d"}, {From: other, File: true}}
	if got := TaskSecrets(d, o); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
