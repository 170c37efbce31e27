package control

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/iam"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/aws/secretsmanager"
	"fargo/aws/ssm"
	"fargo/desired"
	"fargo/record"
	"fargo/store"
)

const (
	executionRole = "arn:aws:iam::123456789012:role/exec"
	database      = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf"
)

// someValues are secrets and parameters by what they are asked for by, or errors.
type someValues struct {
	values map[string]string
	errors map[string]error
	asked  []string
}

func (v *someValues) GetSecretValue(_ context.Context, c Caller, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	id := *in.SecretId
	for _, part := range []*string{in.VersionStage, in.VersionId} {
		if part != nil {
			id += " " + *part
		}
	}
	v.asked = append(v.asked, c.Session.PrincipalARN+" in "+c.Region+" asks for "+id)
	if err := v.errors[id]; err != nil {
		return nil, err
	}
	value, ok := v.values[id]
	if !ok {
		return &secretsmanager.GetSecretValueOutput{SecretBinary: []byte{1}}, nil
	}
	return &secretsmanager.GetSecretValueOutput{SecretString: &value}, nil
}

func (v *someValues) GetParameters(_ context.Context, c Caller, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error) {
	v.asked = append(v.asked, c.Session.PrincipalARN+" in "+c.Region+" asks for "+in.Names[0])
	if err := v.errors[in.Names[0]]; err != nil {
		return nil, err
	}
	value, ok := v.values[in.Names[0]]
	if !ok || !*in.WithDecryption {
		return &ssm.GetParametersOutput{InvalidParameters: in.Names}, nil
	}
	return &ssm.GetParametersOutput{Parameters: []ssm.Parameter{{Value: &value}}}, nil
}

func (v *someValues) GetBucketLocation(_ context.Context, c Caller, in *s3.GetBucketLocationInput) (*s3.GetBucketLocationOutput, error) {
	v.asked = append(v.asked, c.Session.PrincipalARN+" in "+c.Region+" asks where "+*in.Bucket+" is")
	if err := v.errors[*in.Bucket]; err != nil {
		return nil, err
	}
	return &s3.GetBucketLocationOutput{LocationConstraint: s3.BucketLocationConstraint(v.values[*in.Bucket])}, nil
}

func (v *someValues) GetObject(_ context.Context, c Caller, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	id := *in.Bucket + "/" + *in.Key
	v.asked = append(v.asked, c.Session.PrincipalARN+" in "+c.Region+" asks for "+id)
	if err := v.errors[id]; err != nil {
		return nil, err
	}
	text := v.values[id]
	return &s3.GetObjectOutput{Body: io.NopCloser(strings.NewReader(text)), ContentLength: new(int64(len(text)))}, nil
}

// withSecrets is a world with a task on node a whose container is given these: those in S3
// as environment files.
func withSecrets(t *testing.T, v *someValues, registry string, from ...string) (*world, *record.Task) {
	w := newWorld(t)
	w.plane.Values = v
	w.update(func(tx *store.Tx) {
		store.Roles.Put(tx, &record.Role{Account: home.Account, Role: iam.Role{RoleName: new("exec"), RoleId: new("AROAEXEC"), Arn: new(executionRole), AssumeRolePolicyDocument: new(trustsTasks)}})
		known, _ := store.TaskDefinitionByARN(tx, "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1")
		d := *known
		d.Definition.ExecutionRoleArn = new(executionRole)
		c := ecs.ContainerDefinition{Name: new("app"), Image: new("i")}
		for i, f := range from {
			if strings.HasPrefix(f, "arn:aws:s3:") {
				c.EnvironmentFiles = append(c.EnvironmentFiles, ecs.EnvironmentFile{Value: &f, Type: ecs.EnvironmentFileTypeS3})
				continue
			}
			c.Secrets = append(c.Secrets, ecs.Secret{Name: new(fmt.Sprint("S", i)), ValueFrom: &f})
		}
		if registry != "" {
			c.RepositoryCredentials = &ecs.RepositoryCredentials{CredentialsParameter: &registry}
		}
		d.Definition.ContainerDefinitions = []ecs.ContainerDefinition{c}
		store.TaskDefinitions.Put(tx, &d)
	})
	task := *w.run()
	task.Node = "a"
	w.update(func(tx *store.Tx) { store.Tasks.Put(tx, &task) })
	return w, &task
}

// A task's values are read once, each as its definition says, as the execution role, and
// are the same until the task has stopped; then they are gone.
func TestTaskSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &someValues{values: map[string]string{
			database: `{"user":"me","port":5432}`, database + " AWSPREVIOUS": `{"user":"before"}`,
			"/prod/key:3": "key", "arn:aws:ssm:eu-west-1:123456789012:parameter/far": "far", "login": `{"username":"u","password":"p"}`,
			"files/a.env": "A=1\n#B=2\nA=3=\r\n", "far-files": "eu-west-1", "far-files/b.env": "",
		}}
		w, task := withSecrets(t, v, "login", database, database+":port::", database+":user:AWSPREVIOUS:", "/prod/key:3", "arn:aws:ssm:eu-west-1:123456789012:parameter/far",
			"arn:aws:s3:::files/a.env", "arn:aws:s3:::far-files/b.env", "arn:aws:s3:::files/a.env")
		defer w.stop()
		get := func(node string, n int) (string, error) {
			value, err := w.plane.Secret(t.Context(), node, desired.TaskSecretOf(task.ARN(), n))
			return value.Reveal(), err
		}
		want := []string{`{"username":"u","password":"p"}`, `{"user":"me","port":5432}`, "5432", "before", "key", "far", `["A=3="]`, "[]"}
		for range 2 {
			for n, value := range want {
				if got, err := get("a", n); got != value || err != nil {
					t.Errorf("%d: %q, %v, want %q", n, got, err, value)
				}
			}
			clear(v.values) // what is changed later is for later tasks
		}
		who := "arn:aws:sts::123456789012:assumed-role/exec/" + task.ID
		asked := []string{
			who + " in us-east-1 asks for login", who + " in us-east-1 asks for " + database, who + " in us-east-1 asks for " + database,
			who + " in us-east-1 asks for " + database + " AWSPREVIOUS", who + " in us-east-1 asks for /prod/key:3",
			who + " in eu-west-1 asks for arn:aws:ssm:eu-west-1:123456789012:parameter/far",
			who + " in us-east-1 asks where files is", who + " in us-east-1 asks for files/a.env",
			who + " in us-east-1 asks where far-files is", who + " in eu-west-1 asks for far-files/b.env",
		}
		if !slices.Equal(v.asked, asked) {
			t.Errorf("asked %q, want %q", v.asked, asked)
		}
		for _, other := range []struct {
			node string
			n    int
		}{{"b", 0}, {"a", len(want)}} {
			if got, err := get(other.node, other.n); !errdefs.IsNotFound(err) {
				t.Errorf("%+v gets %q, %v", other, got, err)
			}
		}
		task, _ = store.Tasks.Get(w.db.View(), task.Key())
		w.report(task, fargo.TaskStopped)
		synctest.Wait()
		if got, err := get("a", 0); !errdefs.IsNotFound(err) {
			t.Errorf("a stopped task gets %q, %v", got, err)
		}
		for s := range store.TaskSecrets.All(w.db.View()) {
			t.Errorf("left behind: the secrets of %s", s.Task)
		}
	})
}

// A task gets all of its values or none; the reason is Fargate's. What failed here is
// asked for again.
func TestTaskSecretsThatCannotBeHad(t *testing.T) {
	const p = "ResourceInitializationError: unable to pull secrets or registry auth: "
	const x = p + "execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): "
	denied := protocol.Errorf("AccessDeniedException", "User: u is not authorized to perform: a")
	const file, e = "arn:aws:s3:::b/a.env", "ResourceInitializationError: failed to download env files: service call has been retried 1 time(s): "
	forbidden, absent := protocol.Errorf("AccessDenied", "no").WithStatus(403), s3.NoSuchBucket("The specified bucket does not exist")
	fault := &protocol.Error{Code: "InternalFailure", Fault: true}
	for _, c := range []struct {
		from, registry string
		values         map[string]string
		err            error // of from
		errors         map[string]error
		want           string // with * for what is different each time
	}{
		{from: database, err: denied, want: x + "failed to fetch secret " + database + " from secrets manager: operation error Secrets Manager: GetSecretValue, https response error StatusCode: 400, RequestID: *, api error AccessDeniedException: User: u is not authorized to perform: a"},
		{from: database, want: x + "the secret stores binary data, which is not supported"},
		{from: database + ":k::", values: map[string]string{database: `{}`}, want: x + "retrieved secret from Secrets Manager did not contain json key k"},
		{from: database + ":k", want: x + "an invalid ARN format for the AWS Secrets Manager secret was specified. Specify a valid ARN and try again."},
		{from: "/a", want: p + "execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /a,/last"},
		{from: "/a", err: denied, want: p + "execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): operation error SSM: GetParameters, https response error StatusCode: 400, RequestID: *, api error AccessDeniedException: User: u is not authorized to perform: a"},
		{from: "/a", registry: "login", values: map[string]string{"login": `{"username":"u"}`}, want: p + "execution resource retrieval failed: unable to get registry auth from asm: service call has been retried 1 time(s): asm fetching password: AuthorizationData is malformed, empty field"},
		{from: file, errors: map[string]error{"b": absent}, want: e + "operation error S3: GetBucketLocation, https response error StatusCode: 404, api error NoSuchBucket: The specified bucket does not exist"},
		{from: file, errors: map[string]error{"b/a.env": forbidden}, want: e + "operation error S3: HeadObject, https response error StatusCode: 403, api error Forbidden: Forbidden"},
		{from: file, errors: map[string]error{"b/a.env": s3.NoSuchKey("no")}, want: e + "operation error S3: HeadObject, https response error StatusCode: 404, api error NotFound: Not Found"},
		{from: file, values: map[string]string{"b/a.env": strings.Repeat("#", 2<<20+1)}, want: "ResourceInitializationError: failed to download env files: arn:aws:s3:::b/a.env has 2097153 bytes, more than 2097152"},
		{from: file, errors: map[string]error{"b": fault}},
		{from: file, errors: map[string]error{"b/a.env": fault}},
		{from: database, err: fault},
		{from: database, err: fmt.Errorf("writing: %w", fargo.ErrNotWritable)},
	} {
		synctest.Test(t, func(t *testing.T) {
			v := &someValues{values: c.values, errors: map[string]error{c.from: c.err}}
			maps.Copy(v.errors, c.errors)
			w, task := withSecrets(t, v, c.registry, c.from, "/last")
			defer w.stop()
			_, err := w.plane.Secret(t.Context(), "a", desired.TaskSecretOf(task.ARN(), 1))
			before, after, _ := strings.Cut(c.want, "*")
			switch {
			case c.want == "":
				if !errdefs.IsUnavailable(err) {
					t.Errorf("%s: %v", c.from, err)
				}
			case err == nil || errdefs.IsUnavailable(err) || !strings.HasPrefix(err.Error(), before) || !strings.HasSuffix(err.Error(), after):
				t.Errorf("%s: %v\nwant %s", c.from, err, c.want)
			}
			for s := range store.TaskSecrets.All(w.db.View()) {
				t.Errorf("%s: kept %q", c.from, s.Values)
			}
		})
	}
}

// What the agent in a task calls is called from the task's interface; what knows of no task,
// from nowhere.
func TestCallersByTask(t *testing.T) {
	w, task := withRole(t)
	defer w.stop()
	placed := *task
	placed.Interface = &desired.Interface{ID: "eni-1", VPC: "vpc-1", Subnet: "subnet-1", Address: netip.MustParseAddr("10.0.0.5")}
	w.update(func(tx *store.Tx) { store.Tasks.Put(tx, &placed) })
	c := Caller{Session: &record.Session{Task: task.ARN()}, Region: home.Region}.ByTask(w.db.View(), "logs")
	if c.Origin == nil || *c.Origin != (desired.Origin{At: "vpc-1", Client: placed.Interface.Address, Secure: true}) {
		t.Errorf("it comes from %+v", c.Origin)
	}
	if c := (Caller{Session: &record.Session{}}).ByTask(w.db.View(), "logs"); c.Origin != nil {
		t.Errorf("of no task: %+v", c.Origin)
	}
}
