package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/patchtide/patchtide/internal/strictyaml"
)

// Settings are the scalars that say how the process runs. Each may come from a flag, from the environment or from the
// file; the first that has it wins.
type Settings struct {
	Evidence          string `yaml:"evidence" default:"./evidence" example:"s3://bucket/prefix" doc:"Where results and journals are kept: a bucket, s3://bucket/prefix, or a folder. A folder needs single_worker, for a second worker elsewhere would not see it."`
	JournalKeyFrom    Source `yaml:"journal_key_from" example:"ssm:/patchtide/journal-key" doc:"Where the key that signs journal records is read from: file:PATH or ssm:/NAME, at least 32 bytes; or kms:ID, an HMAC_256 key that stays in KMS. A worker needs it."`
	Manifests         string `yaml:"manifests" pattern:"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]{0,120})?$" example:"s3://patchtide-manifests" computed:"none, and every plan of two stages or more must say pin: none" doc:"Where lists of packages are put for a plan's machines to read, each with the role of its own instance profile: s3://bucket, or s3://bucket/prefix. The worker writes there."`
	SingleWorker      bool   `yaml:"single_worker" default:"false" example:"true" doc:"States that there is one worker only, so that evidence may be kept in a local folder. A second one on another machine does not start."`
	BaselinesDir      string `yaml:"baselines_dir" example:"./baselines" doc:"A folder of your own patch baselines, *.yaml, beside the built-in ones."`
	LogLevel          string `yaml:"log_level" enum:"debug,info,warn,error" default:"info" example:"info" doc:"What is logged."`
	LogFormat         string `yaml:"log_format" enum:"text,json" default:"text" example:"json" doc:"How it is logged."`
	TemporalProfile   string `yaml:"temporal_profile" pattern:"^[A-Za-z0-9._-]+$" example:"production" computed:"Temporal's own" doc:"The profile in Temporal's configuration file, instead of TEMPORAL_PROFILE."`
	TemporalAddress   string `yaml:"temporal_address" pattern:"^[A-Za-z0-9.\\[\\]:/_-]+:[0-9]{1,5}$" example:"127.0.0.1:7233" computed:"the profile's" doc:"Temporal's address, instead of TEMPORAL_ADDRESS or the profile's."`
	TemporalUI        string `yaml:"temporal_ui" pattern:"^https?://[A-Za-z0-9.\\[\\]:_-]+(/[A-Za-z0-9._~/-]*)?$" example:"http://localhost:8080" computed:"no links" doc:"The address of the Temporal UI, for links in notices and by patchtide links."`
	TemporalNamespace string `yaml:"temporal_namespace" pattern:"^[A-Za-z0-9._-]+$" example:"default" computed:"the profile's" doc:"Temporal's namespace, instead of TEMPORAL_NAMESPACE or the profile's."`
}

// EnvironmentPrefix begins the names of the environment variables that set a Setting.
const EnvironmentPrefix = "PATCHTIDE_"

// Setting is one scalar setting of the process and where it may come from.
type Setting struct {
	Key     string // in the file
	Flag    string // without the leading dashes
	Env     string
	Default string // empty: none
	Doc     string
	field   strictyaml.Field
}

// SettingsTable lists every setting, for help texts and the reference.
func SettingsTable() []Setting {
	fields := strictyaml.Fields(reflect.TypeFor[Settings]())
	table := make([]Setting, len(fields))
	for i, f := range fields {
		table[i] = Setting{
			Key: f.Key, Flag: strings.ReplaceAll(f.Key, "_", "-"), Env: EnvironmentPrefix + strings.ToUpper(f.Key),
			Default: f.Default, Doc: f.Doc, field: f,
		}
	}
	return table
}

// AddFlags gives a command one flag for every setting. The flags' own defaults are only shown: a flag counts when it is
// given.
func AddFlags(flags *pflag.FlagSet) {
	for _, s := range SettingsTable() {
		usage := fmt.Sprintf("%s [%s]", s.Doc, s.Env)
		if s.field.Type.Kind() == reflect.Bool {
			flags.Bool(s.Flag, s.Default == "true", usage)
			continue
		}
		flags.String(s.Flag, s.Default, usage)
	}
}

// resolve puts flags and the environment above what the file says. A value that is wrong there is reported with the
// flag's or the variable's name; one in the file was checked by the decoder.
func resolve(doc *strictyaml.Document, fromFile Settings, flags *pflag.FlagSet) (Settings, strictyaml.Errors) {
	// viper is given the scalars and never the file: it would lower-case keys and guess types.
	v := viper.New()
	values := map[string]any{}
	target := reflect.ValueOf(&fromFile).Elem()
	for i, s := range SettingsTable() {
		v.SetDefault(s.Key, s.Default)
		if doc.Has(s.Key) {
			values[s.Key] = fmt.Sprint(target.Field(i).Interface())
		}
		if err := v.BindEnv(s.Key, s.Env); err != nil {
			return fromFile, strictyaml.Errors{{File: "environment", Key: s.Env, Message: err.Error()}}
		}
		if flags != nil && flags.Lookup(s.Flag) != nil {
			if err := v.BindPFlag(s.Key, flags.Lookup(s.Flag)); err != nil {
				return fromFile, strictyaml.Errors{{File: "command line", Key: "--" + s.Flag, Message: err.Error()}}
			}
		}
	}
	if err := v.MergeConfigMap(values); err != nil {
		return fromFile, strictyaml.Errors{{File: "settings", Message: err.Error()}}
	}
	var problems strictyaml.Errors
	for i, s := range SettingsTable() {
		origin := originOf(s, flags)
		if origin == nil {
			continue // the file's or the default, both of which the decoder has set already
		}
		if message := set(target.Field(i), s.field, v.GetString(s.Key)); message != "" {
			origin.Message = message
			problems = append(problems, origin)
		}
	}
	for key, message := range checkSettings(fromFile) {
		problems = append(problems, settingProblem(doc, flags, key, message)...)
	}
	return fromFile, problems
}

// checkSettings finds what tags cannot say, by key.
func checkSettings(s Settings) map[string]string {
	problems := map[string]string{}
	if message := sourceMistake(
		s.JournalKeyFrom, "journal_key_from: ssm:/patchtide/journal-key", "file", "ssm", "kms",
	); message != "" {
		problems["journal_key_from"] = message
	}
	if scheme, rest, isURL := strings.Cut(s.Evidence, "://"); isURL && (scheme != "s3" && scheme != "file" || rest == "") {
		problems["evidence"] = "is no place for evidence; write it like evidence: s3://bucket/prefix, or a folder like " +
			"./evidence"
	}
	return problems
}

// settingProblem reports a mistake where the setting's value comes from.
func settingProblem(doc *strictyaml.Document, flags *pflag.FlagSet, key, message string) strictyaml.Errors {
	for _, s := range SettingsTable() {
		if origin := originOf(s, flags); s.Key == key && origin != nil {
			origin.Message = message
			return strictyaml.Errors{origin}
		}
	}
	doc.Problem(key, "%s", message)
	return nil
}

// originOf returns where a setting comes from if that is not the file, in the shape of an error without a message.
func originOf(s Setting, flags *pflag.FlagSet) *Error {
	if flags != nil && flags.Changed(s.Flag) {
		return &Error{File: "command line", Key: "--" + s.Flag}
	}
	if os.Getenv(s.Env) != "" { // viper, too, takes an empty variable for an absent one
		return &Error{File: "environment", Key: s.Env}
	}
	return nil
}

// set is as strict with a flag's or a variable's text as the decoder is with the file's. It returns what is wrong.
func set(target reflect.Value, f strictyaml.Field, text string) string {
	if target.Kind() == reflect.Bool {
		if text != "true" && text != "false" {
			return fmt.Sprintf("%q is neither true nor false", text)
		}
		target.SetBool(text == "true")
		return ""
	}
	if len(f.Enum) > 0 && !slices.Contains(f.Enum, text) {
		return fmt.Sprintf("%q is not known; write one of %s", text, strings.Join(f.Enum, ", "))
	}
	if !f.Matches(text) {
		return "does not have the right form; write it like " + f.Example
	}
	target.SetString(text)
	return ""
}
