package plan

import "strings"

const layerBucketBegin, layerBucketEnd = "prod-", "-starport-layer-bucket"

// LayerBucket is the bucket of AWS's from which images in ECR get their layers in a region:
// ECR signs the requests for them, and whoever pulls sends those to S3 by its own network.
// Source: ECR user guide, "Minimum Amazon S3 bucket permissions for Amazon ECR".
func LayerBucket(region string) string { return layerBucketBegin + region + layerBucketEnd }

// LayerSigner is the service that has signed the requests for layers in a [LayerBucket].
const LayerSigner = "ecr.amazonaws.com"

// IsLayerBucket reports whether a bucket has the name of a [LayerBucket].
func IsLayerBucket(name string) bool {
	return strings.HasPrefix(name, layerBucketBegin) && strings.HasSuffix(name, layerBucketEnd)
}

// LayerKey is the key of an object in a [LayerBucket], which stands for the layers of a
// repository. Those of AWS tell nothing.
func LayerKey(registry, repository string) string { return registry + "/" + repository }
