package ssm

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"fargo"
	"fargo/aws/ssm"
)

// publicParameters are the parameters that AWS publishes and users of ECS read, as
// functions of the region.
// Source: Systems Manager user guide, "Discovering public parameters"; ECS developer
// guide, "Retrieving Amazon ECS-optimized Linux AMI metadata".
var publicParameters = func() map[string]func(region string) string {
	all := map[string]func(string) string{}
	for _, tag := range []string{"latest", "stable"} {
		all["/aws/service/aws-for-fluent-bit/"+tag] = func(region string) string {
			return "906394416424.dkr.ecr." + region + ".amazonaws.com/aws-for-fluent-bit:" + tag
		}
	}
	for _, family := range []string{"amazon-linux-2023", "amazon-linux-2023/arm64", "amazon-linux-2", "amazon-linux-2/arm64"} {
		path := "/aws/service/ecs/optimized-ami/" + family + "/recommended"
		image := func(region string) ecsImage { return newECSImage(family, region) }
		all[path] = func(region string) string {
			b, err := json.Marshal(image(region))
			if err != nil {
				panic(err) // all of it is strings and a number
			}
			return string(b)
		}
		all[path+"/image_id"] = func(region string) string { return image(region).ImageID }
		all[path+"/image_name"] = func(region string) string { return image(region).ImageName }
	}
	return all
}()

// published is when the public parameters were last modified.
var published = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// ecsImage is what an ECS-optimized AMI says of itself.
type ecsImage struct {
	SchemaVersion     int    `json:"schema_version"`
	ImageName         string `json:"image_name"`
	ImageID           string `json:"image_id"`
	OS                string `json:"os"`
	ECSRuntimeVersion string `json:"ecs_runtime_version"`
	ECSAgentVersion   string `json:"ecs_agent_version"`
	SourceImageName   string `json:"source_image_name"`
	ImageVersion      string `json:"image_version"`
}

func newECSImage(family, region string) ecsImage {
	os, arch, _ := strings.Cut(family, "/")
	prefix, system, machine := "al2023-ami-ecs-hvm", "Amazon Linux 2023", "x86_64"
	if os == "amazon-linux-2" {
		prefix, system = "amzn2-ami-ecs-hvm", "Amazon Linux 2"
	}
	if arch != "" {
		machine = arch
	}
	version := published.Format("20060102")
	id := sha256.Sum256([]byte(region + "/" + family))
	return ecsImage{
		SchemaVersion: 1, ImageName: prefix + "-" + version + "-" + machine, ImageID: "ami-" + hex.EncodeToString(id[:])[:17], OS: system,
		ECSRuntimeVersion: "Docker version 25.0.8", ECSAgentVersion: "1.98.0", SourceImageName: prefix + "-minimal-" + version + "-" + machine, ImageVersion: version,
	}
}

// publicParameter is the public parameter with a name, or nil.
func publicParameter(scope fargo.Scope, name string) *ssm.Parameter {
	name = strings.TrimPrefix(name, "arn:aws:ssm:"+scope.Region+"::parameter")
	value := publicParameters[name]
	if value == nil {
		return nil
	}
	return &ssm.Parameter{
		Name: &name, Type: ssm.ParameterTypeString, Value: new(value(scope.Region)), Version: new(int64(1)), LastModifiedDate: new(published),
		ARN: new("arn:aws:ssm:" + scope.Region + "::parameter" + name), DataType: new("text"),
	}
}
