package plan

import (
	"testing"

	"fargo/aws/protocol"
)

func TestRefused(t *testing.T) {
	const why = "User: arn:aws:sts::123456789012:assumed-role/r/t is not authorized to perform: "
	denied := func(action string) *protocol.Error {
		return &protocol.Error{Code: "AccessDeniedException", Message: why + action}
	}
	for _, test := range []struct{ got, want string }{
		{
			RegistryAuthRefused("U", denied("ecr:GetAuthorizationToken on resource: *")),
			"ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve ecr registry auth: service call has been retried 1 time(s): " +
				"operation error ECR: GetAuthorizationToken, https response error StatusCode: 400, RequestID: U, api error AccessDeniedException: " + why + "ecr:GetAuthorizationToken on resource: *",
		},
		{
			PullRefused("123456789012.dkr.ecr.us-east-1.amazonaws.com/a:v1", "123456789012.dkr.ecr.us-east-1.amazonaws.com", "v1", denied("ecr:BatchGetImage")),
			"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref 123456789012.dkr.ecr.us-east-1.amazonaws.com/a:v1: " +
				"pulling from host 123456789012.dkr.ecr.us-east-1.amazonaws.com failed with status code [manifests v1]: 403 Forbidden: denied: " + why + "ecr:BatchGetImage",
		},
		{
			LayersRefused("123456789012.dkr.ecr.us-east-1.amazonaws.com", "team/a"),
			"CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: " +
				"unexpected status code https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/team/a/blobs/: 403 Forbidden",
		},
		{
			LogStreamFailure("U", denied("logs:CreateLogStream")),
			"ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: " +
				"operation error CloudWatch Logs: CreateLogStream, https response error StatusCode: 400, RequestID: U, api error AccessDeniedException: " + why + "logs:CreateLogStream : exit status 1",
		},
		{
			LogStreamFailure("U", &protocol.Error{Code: "ResourceNotFoundException", Message: "The specified log group does not exist."}),
			"ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: " +
				"operation error CloudWatch Logs: CreateLogStream, https response error StatusCode: 400, RequestID: U, ResourceNotFoundException: The specified log group does not exist. : exit status 1",
		},
		{
			LogGroupFailure("U", denied("logs:CreateLogGroup")),
			"ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log group: " +
				"operation error CloudWatch Logs: CreateLogGroup, https response error StatusCode: 400, RequestID: U, api error AccessDeniedException: " + why + "logs:CreateLogGroup : exit status 1",
		},
	} {
		if test.got != test.want {
			t.Errorf("\n got %s\nwant %s", test.got, test.want)
		}
	}
}
