package ecs

import (
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/ecs"
)

// checkCompatibilities finds out what the definition can run on, and refuses it
// when it cannot run on what it requires.
func checkCompatibilities(d *ecs.TaskDefinition) error {
	d.Compatibilities = []ecs.Compatibility{ecs.CompatibilityEc2}
	d.RequiresAttributes = requiredAttributes(d)
	err := checkFargate(d)
	if slices.Contains(d.RequiresCompatibilities, ecs.CompatibilityFargate) {
		if err != nil {
			return err
		}
		d.Compatibilities = append(d.Compatibilities, ecs.CompatibilityFargate)
		return nil
	}
	if err == nil && d.NetworkMode == ecs.NetworkModeAwsvpc {
		d.Compatibilities = append(d.Compatibilities, ecs.CompatibilityFargate)
	}
	return nil
}

// requiredAttributes are what an EC2 instance would have to offer.
// Source: amazon-ecs-agent, capability names.
func requiredAttributes(d *ecs.TaskDefinition) []ecs.Attribute {
	set := map[string]bool{"com.amazonaws.ecs.capability.docker-remote-api.1.18": true}
	if d.TaskRoleArn != nil {
		set["com.amazonaws.ecs.capability.task-iam-role"] = true
	}
	if d.NetworkMode == ecs.NetworkModeAwsvpc {
		set["ecs.capability.task-eni"] = true
	}
	if configuredAtLaunch(d) != "" {
		set["ecs.capability.storage.ebs-task-volume-attach"] = true
	}
	for _, c := range d.ContainerDefinitions {
		if ecrImage.MatchString(*c.Image) {
			set["com.amazonaws.ecs.capability.ecr-auth"] = true
			if d.ExecutionRoleArn != nil {
				set["ecs.capability.execution-role-ecr-pull"] = true
			}
		}
		if l := c.LogConfiguration; l != nil {
			set["com.amazonaws.ecs.capability.logging-driver."+string(l.LogDriver)] = true
			if l.LogDriver == ecs.LogDriverAwslogs && d.ExecutionRoleArn != nil {
				set["ecs.capability.execution-role-awslogs"] = true
			}
		}
		if c.HealthCheck != nil {
			set["ecs.capability.container-health-check"] = true
		}
		if len(c.DependsOn) > 0 {
			set["ecs.capability.container-ordering"] = true
		}
		if c.RestartPolicy != nil {
			set["ecs.capability.container-restart-policy"] = true
		}
		for _, s := range c.Secrets {
			set["ecs.capability.secrets."+secretProvider(s)+".environment-variables"] = true
		}
		if len(c.EnvironmentFiles) > 0 {
			set["ecs.capability.env-files.s3"] = true
		}
		if l := c.LogConfiguration; l != nil {
			for _, s := range l.SecretOptions {
				set["ecs.capability.secrets."+secretProvider(s)+".bootstrap.log-driver"] = true
			}
		}
		if c.RepositoryCredentials != nil {
			set["ecs.capability.private-registry-authentication.secretsmanager"] = true
		}
	}
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	slices.Sort(names)
	out := make([]ecs.Attribute, len(names))
	for i, n := range names {
		out[i] = ecs.Attribute{Name: new(n)}
	}
	return out
}

// secretProvider is the agent's word for where a secret is.
func secretProvider(s ecs.Secret) string {
	if strings.Contains(aws.Value(s.ValueFrom), ":secretsmanager:") {
		return "asm"
	}
	return "ssm"
}
