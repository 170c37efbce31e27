package ecs

import (
	"errors"

	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
)

// configuredAtLaunch is the name of the volume of a definition that a call configures,
// empty for none. A definition has one at most.
func configuredAtLaunch(d *ecs.TaskDefinition) string {
	for _, v := range d.Volumes {
		if aws.Value(v.ConfiguredAtLaunch) {
			return *v.Name
		}
	}
	return ""
}

// checkConfiguredAtLaunch sees that a definition has one such volume at most, and uses it.
// Source: ECS API, Volume; ECS developer guide, "Defer volume configuration to launch time
// in an Amazon ECS task definition".
func checkConfiguredAtLaunch(d *ecs.TaskDefinition) error {
	name := configuredAtLaunch(d)
	if name == "" {
		return nil
	}
	mounted := false
	for _, v := range d.Volumes {
		switch {
		case !aws.Value(v.ConfiguredAtLaunch):
		case *v.Name != name:
			return refuse("Only one volume of a task definition can be configured at launch.")
		case v.DockerVolumeConfiguration != nil || v.EfsVolumeConfiguration != nil || v.FsxWindowsFileServerVolumeConfiguration != nil ||
			v.S3filesVolumeConfiguration != nil || v.Host != nil:
			return refuse("Volume '%s' is configured at launch, and cannot be configured in the task definition.", name)
		}
	}
	for _, c := range d.ContainerDefinitions {
		for _, m := range c.MountPoints {
			mounted = mounted || aws.Value(m.SourceVolume) == name
		}
	}
	if !mounted {
		return refuse("Volume '%s' is configured at launch, and needs a mount point in a container.", name)
	}
	return nil
}

// taskVolume is the volume that tasks of a definition have by a call's configuration; nil
// for none.
func taskVolume(d *record.TaskDefinition, given []ecs.TaskVolumeConfiguration) (*ecs.TaskVolumeConfiguration, error) {
	name := configuredAtLaunch(&d.Definition)
	switch {
	case len(given) > 1:
		return nil, invalid("Only one volume can be configured at launch.")
	case len(given) == 0 && name != "":
		return nil, invalid("The volume '%s' of the task definition is configured at launch, and volumeConfigurations does not configure it.", name)
	case len(given) == 0:
		return nil, nil
	case *given[0].Name != name:
		return nil, invalid("The volume name '%s' in your request does not have a matching volume in your Task Definition", *given[0].Name)
	case given[0].ManagedEBSVolume == nil:
		return nil, invalid("The configuration of the volume '%s' must have a managedEBSVolume.", name)
	}
	return &given[0], checkManagedVolume(given[0].ManagedEBSVolume)
}

// launchVolume is the volume of the tasks that a call starts; nil for none.
func launchVolume(c *record.Cluster, d *record.TaskDefinition, in *ecs.RunTaskInput) (*record.TaskVolume, error) {
	configuration, err := taskVolume(d, in.VolumeConfigurations)
	if configuration == nil || err != nil {
		return nil, err
	}
	for _, s := range configuration.ManagedEBSVolume.TagSpecifications {
		if s.PropagateTags == ecs.PropagateTagsService {
			return nil, invalid("The tags of a volume can propagate from a SERVICE only to the tasks of one.")
		}
	}
	return plan.NewTaskVolume(*configuration, d.Tags, nil, managedTags(c, in)), nil
}

// checkServiceVolume is [taskVolume] of a service, whose tasks are yet to come.
func checkServiceVolume(d *record.TaskDefinition, given []ecs.ServiceVolumeConfiguration) error {
	var all []ecs.TaskVolumeConfiguration
	for i := range given {
		all = append(all, plan.TaskVolumeConfiguration(&given[i]))
	}
	_, err := taskVolume(d, all)
	return err
}

func checkManagedVolume(c *ecs.TaskManagedEBSVolumeConfiguration) error {
	switch {
	case c.SnapshotId != nil:
		return notImplemented("volumes from snapshots (snapshotId)")
	case c.VolumeInitializationRate != nil:
		return invalid("volumeInitializationRate can only be specified with a snapshotId.")
	case c.FilesystemType == ecs.TaskFilesystemTypeNtfs:
		return invalid("The file system type ntfs is not supported by tasks that run Linux.")
	case aws.Value(c.VolumeType) == "standard":
		return invalid("The volume type standard is not supported with the FARGATE launch type.")
	}
	for _, s := range c.TagSpecifications {
		if err := checkVolumeTags(s.Tags); err != nil {
			return err
		}
	}
	_, err := plan.EBSVolume(c)
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return invalid("ECS managed EBS volume configuration was invalid. Encountered '%s' error from AmazonEC2: \"%s\"", e.Code, e.Message)
	}
	return err
}

// checkVolumeTags: Source: ECS API, EBSTagSpecification.
func checkVolumeTags(given []ecs.Tag) error {
	for _, t := range given {
		if key := aws.Value(t.Key); key == plan.VolumeCreatedTag || key == plan.VolumeManagedTag {
			return invalid("The tag key %s is reserved for Amazon ECS.", key)
		}
	}
	return tagRules.Check(given)
}
