package v1alpha1

const (
	// FieldManager owns every field that the operator applies.
	FieldManager = "community-operator"

	// LabelManagedBy with the value FieldManager marks every object the operator made; its caches hold no
	// others.
	LabelManagedBy = "app.kubernetes.io/managed-by"
	// LabelName is the recommended label for the program that an object runs.
	LabelName = "app.kubernetes.io/name"
	// LabelInstance is the recommended label for the Community that it runs for.
	LabelInstance = "app.kubernetes.io/instance"
	// LabelComponent is the recommended label for its part in the stack.
	LabelComponent = "app.kubernetes.io/component"
	// LabelPartOf is the recommended label for the whole that it belongs to.
	LabelPartOf = "app.kubernetes.io/part-of"
	// LabelCommunity holds the name of the Community that an object belongs to.
	LabelCommunity = "cocreation.quaeso.io/community"

	// ComponentIdeas is the idea service.
	ComponentIdeas = "ideas"
	// ComponentDatabase is its PostgreSQL.
	ComponentDatabase = "database"

	// AnnotationApplied holds a hash of what the operator last applied, to tell a field that is no longer
	// wanted from one that somebody else set.
	AnnotationApplied = "cocreation.quaeso.io/applied"
	// AnnotationRetained marks data that outlived its Community (deletionPolicy Retain). Its value is the
	// UID of that Community. A new Community of the same name takes it into use again.
	AnnotationRetained = "cocreation.quaeso.io/retained"
	// AnnotationCredentials on a pod template is a keyed hash of the credentials; it rolls the pods when they
	// change.
	AnnotationCredentials = "cocreation.quaeso.io/credentials"
	// AnnotationSources on the credentials Secret tells which Secrets, at which version, its parts came from.
	AnnotationSources = "cocreation.quaeso.io/sources"
	// AnnotationReconcile asks for a reconcile now; any new value does.
	AnnotationReconcile = "cocreation.quaeso.io/reconcile-at"

	// AnnotationPrice on a RewardPolicy asks what its spec would have given for everything that has happened; any new
	// value asks anew. The answer is in status.pricing, and nothing is written in the idea service. While its value is
	// "only", a changed spec is priced and not declared.
	AnnotationPrice = "cocreation.quaeso.io/price"

	// FinalizerCommunity lets the operator keep or drop the data before a Community goes.
	FinalizerCommunity = "cocreation.quaeso.io/community"
	// FinalizerClass keeps a CommunityClass while communities use it.
	FinalizerClass = "cocreation.quaeso.io/class-in-use"
	// FinalizerChallenge lets the operator archive a Challenge in the idea service before it goes.
	FinalizerChallenge = "cocreation.quaeso.io/challenge"
	// FinalizerRewardPolicy lets the operator end a RewardPolicy in the idea service before it goes.
	FinalizerRewardPolicy = "cocreation.quaeso.io/reward-policy"
)
