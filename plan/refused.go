package plan

import "fargo/aws/protocol"

// RegistryAuthRefused is why a task has stopped whose execution role may not ask for the
// password of ECR, in Fargate's words. requestID is that of the call.
// Source: stopped reasons in public logs.
func RegistryAuthRefused(requestID string, e *protocol.Error) string {
	return noTaskSecret + "execution resource retrieval failed: unable to retrieve ecr registry auth: " + retried +
		"operation error ECR: GetAuthorizationToken, " + sdkError(requestID, e)
}

// PullRefused is why a task has stopped whose execution role may not pull one of its
// images: Fargate's words, and then the registry's answer, which Fargate does not tell.
// Source: stopped reasons in public logs; of the answer those of container instances.
func PullRefused(image, host, reference string, e *protocol.Error) string {
	return "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref " + image +
		": pulling from host " + host + " failed with status code [manifests " + reference + "]: 403 Forbidden: denied: " + e.Message
}

// LayersRefused is why a task has stopped for which S3 does not give the layers of an image,
// because of the policy of the gateway endpoint that leads there.
// Sources: of Fargate's words zenn.dev/carenet/articles/5db608fea5ca51; of the address
// containerd's, in public logs. That it ends before the layer's digest is ours: no layer has
// been asked for.
func LayersRefused(host, repository string) string {
	return "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: " +
		"unexpected status code https://" + host + "/v2/" + repository + "/blobs/: 403 Forbidden"
}

const noLogs = "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "

// LogStreamFailure is why a task has stopped for whose output no log stream could be made.
// Source: stopped reasons in public logs.
func LogStreamFailure(requestID string, e *protocol.Error) string {
	return noLogs + "failed to create Cloudwatch log stream: operation error CloudWatch Logs: CreateLogStream, " + sdkError(requestID, e) + " : exit status 1"
}

// LogGroupFailure is why a task has stopped for whose output no log group could be made.
// Source: stopped reasons in public logs.
func LogGroupFailure(requestID string, e *protocol.Error) string {
	return noLogs + "failed to create Cloudwatch log group: operation error CloudWatch Logs: CreateLogGroup, " + sdkError(requestID, e) + " : exit status 1"
}
