package world

import "strings"

// CommandOutput is the bucket that the agents write what the steps say to; an empty one is none.
type CommandOutput struct{ Bucket, Prefix string }

// outputKey is where an agent writes a step's output (guide, "Understanding command output": the prefix, the command,
// the instance, the plugin and the step).
func (v *Invocation) outputKey(step, stream string) string {
	plugin := "awsrunShellScript"
	for _, each := range v.Command.content.steps {
		if each.name == step && each.windows {
			plugin = "awsrunPowerShellScript"
		}
	}
	if strings.HasPrefix(step, "aws:") { // of a document of schema 1.2, whose steps have no names
		step = "0." + plugin
	}
	return strings.Join([]string{v.Command.ID, v.Instance.ID, plugin, step, stream}, "/")
}

func (o CommandOutput) under(key string) string {
	if o.Prefix == "" {
		return key
	}
	return strings.TrimSuffix(o.Prefix, "/") + "/" + key
}

// OutputURL is where a step's output is to be; empty where nothing is written.
func (v *Invocation) OutputURL(step, stream string) string {
	if v.Command.Output.Bucket == "" {
		return ""
	}
	return "https://s3." + v.Command.Region.Name + ".amazonaws.com/" + v.Command.Output.Bucket + "/" +
		v.Command.Output.under(v.outputKey(step, stream))
}

// upload writes what the steps said. A bucket that the machine may not write to gets nothing, and the command ends as
// it does.
func (v *Invocation) upload() {
	w, output := v.Command.Region.World, v.Command.Output
	if output.Bucket == "" || w.WriteObject == nil || v.Started.IsZero() {
		return
	}
	for _, step := range v.Steps() {
		for stream, text := range map[string]string{"stdout": step.Stdout, "stderr": step.Stderr} {
			if text != "" {
				w.WriteObject(v.Command.Region, output.Bucket, output.under(v.outputKey(step.Name, stream)), text)
			}
		}
	}
}
