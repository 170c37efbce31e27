package plan

import (
	"testing"

	"fargo/aws/protocol"
)

func TestTaskSecretFailure(t *testing.T) {
	const p, f = "ResourceInitializationError: unable to pull secrets or registry auth: ",
		"failed to fetch secret ARN from secrets manager: operation error Secrets Manager: GetSecretValue, https response error StatusCode: 400, RequestID: U, "
	const x = p + "execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): "
	denied := protocol.Errorf("AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/r/t is not authorized to perform: secretsmanager:GetSecretValue on resource: ARN because no identity-based policy allows the secretsmanager:GetSecretValue action")
	for _, c := range []struct {
		got, want string
	}{
		{TaskSecretFailure(TaskSecret{}, "ARN", "U", denied), x + f + "api error AccessDeniedException: " + denied.Message},
		{TaskSecretFailure(TaskSecret{}, "ARN", "U", &protocol.Error{Code: "AccessDeniedException", Message: "Access to KMS is not allowed"}), x + f + "api error AccessDeniedException: Access to KMS is not allowed"},
		{
			TaskSecretFailure(TaskSecret{}, "ARN", "U", protocol.Errorf("InvalidRequestException", "You can't perform this operation on the secret because it was marked for deletion.")),
			x + f + "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.",
		},
		{
			TaskSecretFailure(TaskSecret{}, "ARN", "U", protocol.Errorf("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")),
			p + "unable to retrieve secret from asm: The task can't retrieve the secret with ARN 'ARN' from Secrets Manager. Check whether the secret exists in the specified Region. " + f + "ResourceNotFoundException: Secrets Manager can't find the specified secret.",
		},
		{
			TaskSecretFailure(TaskSecret{Registry: true}, "ARN", "U", denied),
			p + "execution resource retrieval failed: unable to get registry auth from asm: service call has been retried 1 time(s): asm fetching secret from the service for ARN: operation error Secrets Manager: GetSecretValue, https response error StatusCode: 400, RequestID: U, api error AccessDeniedException: " + denied.Message,
		},
		{
			TaskParameterFailure("U", protocol.Errorf("AccessDeniedException", "no")),
			p + "execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): operation error SSM: GetParameters, https response error StatusCode: 400, RequestID: U, api error AccessDeniedException: no",
		},
		{
			TaskParametersMissing([]string{"/a", "/b"}),
			p + "execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /a,/b",
		},
	} {
		if c.got != c.want {
			t.Errorf("%s\nwant %s", c.got, c.want)
		}
	}
}

func TestJSONMember(t *testing.T) {
	const object = `{"s":"a \"b\"","empty":"","t":true,"n":5432,"m":1000000,"o":{"x":1}}`
	for key, want := range map[string]string{"s": `a "b"`, "empty": "", "t": "true", "n": "5432", "m": "1e+06", "o": "map[x:1]"} {
		if got, err := JSONMember(object, key); got != want || err != nil {
			t.Errorf("%s: %q, %v", key, got, err)
		}
	}
	for value, want := range map[string]string{
		object:     "retrieved secret from Secrets Manager did not contain json key K",
		`{}`:       "retrieved secret from Secrets Manager did not contain json key K",
		"xhunter2": "invalid character 'x' looking for beginning of value",
	} {
		if _, err := JSONMember(value, "K"); err == nil || err.Error() != want {
			t.Errorf("%s: %v", value, err)
		}
	}
}

func TestRegistryLogin(t *testing.T) {
	if user, password, err := RegistryLogin(`{"username":"me","password":"p","more":1}`); user != "me" || password != "p" || err != nil {
		t.Errorf("%s, %s, %v", user, password, err)
	}
	for value, want := range map[string]string{
		"":                   "asm fetching authorization data: empty response",
		"hunter2":            "asm fetching authorization data: unable to unmarshal secret value, invalid schema",
		`{"password":"p"}`:   "asm fetching username: AuthorizationData is malformed, empty field",
		`{"username":"me"}`:  "asm fetching password: AuthorizationData is malformed, empty field",
		`{"username":["a"]}`: "asm fetching authorization data: unable to unmarshal secret value, invalid schema",
	} {
		if _, _, err := RegistryLogin(value); err == nil || err.Error() != want {
			t.Errorf("%s: %v", value, err)
		}
	}
}
