package v1alpha1

// Conditions. Ready sums up the parts; Reconciling and Stalled are present only while they are true, as
// kstatus asks for.
const (
	// ConditionReady is true when the idea service answered, acknowledged the current settings, and its route
	// was accepted. False says what is missing.
	ConditionReady = "Ready"
	// ConditionReconciling is present and true while the operator works towards the spec or waits for
	// something that comes by itself.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is present and true when a person must act. Its message says what to do.
	ConditionStalled = "Stalled"
	// ConditionAccepted is true when class, size and hostnames of the spec can be used.
	ConditionAccepted = "Accepted"
	// ConditionCredentialsReady is true when every Secret that the community needs is there and complete.
	ConditionCredentialsReady = "CredentialsReady"
	// ConditionDatabaseReady is true when the database accepts the community's connections.
	ConditionDatabaseReady = "DatabaseReady"
	// ConditionWorkloadReady is true when the wanted replicas of the idea service serve.
	ConditionWorkloadReady = "WorkloadReady"
	// ConditionSettingsInForce is true when the idea service acknowledged the current settings.
	ConditionSettingsInForce = "SettingsInForce"
	// ConditionRouteReady is true when the Gateway or the ingress controller took the route.
	ConditionRouteReady = "RouteReady"
	// ConditionInForce of a Challenge or a RewardPolicy is true when the idea service works by its current spec.
	ConditionInForce = "InForce"
)

// Conditions that tell how a programme goes. They do not count for Ready: a community whose brand answers late runs as it
// should.
const (
	// ConditionOpen of a Challenge is true while members can take part.
	ConditionOpen = "Open"
	// ConditionDecided of a Challenge is true when its winners were decided.
	ConditionDecided = "Decided"
	// ConditionAnswersOnTime is true while the brand owes no answer since longer than it promised. Absent where it
	// promised none.
	ConditionAnswersOnTime = "AnswersOnTime"
	// ConditionRepresentative is true while each segment's share of the participants is within 5 percentage points of
	// its quota. Absent where there are no quotas.
	ConditionRepresentative = "Representative"
	// ConditionObjectivesOnTrack of a Community is true while each objective is reached, or will be by its deadline if its
	// last values go on as they do. Absent where there are no objectives.
	ConditionObjectivesOnTrack = "ObjectivesOnTrack"
)

// Reasons. Each says when it appears and what to do.
const (
	// ReasonReady appears on a condition that is true.
	ReasonReady = "Ready"
	// ReasonPaused appears on Ready while spec.paused is true. Set it to false to go on.
	ReasonPaused = "Paused"
	// ReasonProgressing appears while something is on its way; wait.
	ReasonProgressing = "Progressing"
	// ReasonDeleting appears while the Community is being deleted; the message says what is waited for.
	ReasonDeleting = "Deleting"
	// ReasonRetrying appears after an error that may pass; the operator tries again with back-off.
	ReasonRetrying = "Retrying"

	// ReasonClassNotFound: spec.className names no CommunityClass. Create the class or correct the name.
	ReasonClassNotFound = "ClassNotFound"
	// ReasonNoDefaultClass: no className was given and no class is marked as the default. Name one or mark one.
	ReasonNoDefaultClass = "NoDefaultClass"
	// ReasonSeveralDefaultClasses: more than one class is marked as the default. Leave one.
	ReasonSeveralDefaultClasses = "SeveralDefaultClasses"
	// ReasonUnknownSize: spec.size is not a size of the class. The message lists them.
	ReasonUnknownSize = "UnknownSize"
	// ReasonUnknownTimeZone: spec.brand.timeZone is not in the time zone database.
	ReasonUnknownTimeZone = "UnknownTimeZone"
	// ReasonHostnameTaken: another Community holds a hostname. Choose another or remove it there.
	ReasonHostnameTaken = "HostnameTaken"
	// ReasonDatabaseKindChanged: the class now has another kind of database than this community was made
	// with. Data is not moved; name a class of the old kind.
	ReasonDatabaseKindChanged = "DatabaseKindChanged"

	// ReasonSecretNotFound: a Secret that the spec or the class names does not exist.
	ReasonSecretNotFound = "SecretNotFound"
	// ReasonSecretIncomplete: a Secret lacks a key, or a key is not usable. The message names it.
	ReasonSecretIncomplete = "SecretIncomplete"
	// ReasonForeignObject: an object that the operator did not make stands at a name that it needs. Rename or
	// delete it, or rename the Community.
	ReasonForeignObject = "ForeignObject"
	// ReasonRefusedByAPI: the API server refused an object; the message is its answer.
	ReasonRefusedByAPI = "RefusedByAPI"

	// ReasonDatabaseUnreachable: nothing answers at the database's address.
	ReasonDatabaseUnreachable = "Unreachable"
	// ReasonPasswordRefused: the database refused the user or the password.
	ReasonPasswordRefused = "PasswordRefused"
	// ReasonDatabaseMissing: the server has no database of that name.
	ReasonDatabaseMissing = "DatabaseMissing"
	// ReasonTLSRefused: the connection could not be secured as sslmode asks for.
	ReasonTLSRefused = "TLSRefused"
	// ReasonPermissionDenied: the role lacks a right that the message names.
	ReasonPermissionDenied = "PermissionDenied"
	// ReasonMigrationFailed: the idea service could not bring its schema up to date.
	ReasonMigrationFailed = "MigrationFailed"
	// ReasonDependencyMissing: an API that the class asks for (CloudNativePG, Gateway API, cert-manager) is not
	// installed in the cluster.
	ReasonDependencyMissing = "DependencyMissing"

	// ReasonImagePullFailed: the kubelet cannot pull the image.
	ReasonImagePullFailed = "ImagePullFailed"
	// ReasonCrashing: a container ends again and again; the message has its last log line.
	ReasonCrashing = "Crashing"
	// ReasonQuotaExceeded: a ResourceQuota refuses the pods.
	ReasonQuotaExceeded = "QuotaExceeded"
	// ReasonPodsRefused: the API server refuses the pods for another reason, such as Pod Security.
	ReasonPodsRefused = "PodsRefused"
	// ReasonUnschedulable: no node has room for the pods.
	ReasonUnschedulable = "Unschedulable"

	// ReasonSettingsRefused: the idea service refused the settings; the last good ones stay in force. The
	// message names the fields.
	ReasonSettingsRefused = "SettingsRefused"
	// ReasonConfigMapNotFound: a ConfigMap that spec.house.terms names does not exist. The last good settings stay in
	// force until it is there.
	ReasonConfigMapNotFound = "ConfigMapNotFound"
	// ReasonConfigMapIncomplete: a ConfigMap that spec.house.terms names lacks a key, or a text in it is empty or too long.
	// The last good settings stay in force until it is good.
	ReasonConfigMapIncomplete = "ConfigMapIncomplete"
	// ReasonServiceUnreachable: the idea service's control port does not answer.
	ReasonServiceUnreachable = "ServiceUnreachable"

	// ReasonGatewayNotFound: the class's Gateway does not exist.
	ReasonGatewayNotFound = "GatewayNotFound"
	// ReasonRouteRefused: the Gateway refused the route; the message is its answer.
	ReasonRouteRefused = "RouteRefused"
	// ReasonCertificatePending: the certificate has not been issued yet.
	ReasonCertificatePending = "CertificatePending"

	// ReasonCommunityNotFound: spec.communityRef names no Community of this namespace. Create it, or correct the name in a
	// new object.
	ReasonCommunityNotFound = "CommunityNotFound"
	// ReasonCommunityNotReady: the Community's idea service does not work yet. Wait, or look at the Community.
	ReasonCommunityNotReady = "CommunityNotReady"
	// ReasonCommunityPaused: the Community has spec.paused, so nothing is declared in it.
	ReasonCommunityPaused = "CommunityPaused"
	// ReasonReferenceMissing: the spec names a theme, terms, an attribute, a Challenge or a RewardPolicy that the community
	// does not have yet. Create it, or correct the name.
	ReasonReferenceMissing = "ReferenceMissing"
	// ReasonReferenceCycle: Challenges continue each other in a circle by their origin. Remove the origin of one.
	ReasonReferenceCycle = "ReferenceCycle"
	// ReasonRefused: the idea service refused the spec; what was in force before stays. The message names the fields.
	ReasonRefused = "Refused"
	// ReasonLocked: the change concerns what decides an open challenge, which goes on untouched. Put back the former
	// value, or cancel the challenge and create another.
	ReasonLocked = "Locked"
	// ReasonNameTaken: another object of the same name is in force in the idea service. Delete it, or take another name.
	ReasonNameTaken = "NameTaken"
	// ReasonServiceOutdated: the idea service is older than the operator and does not know a field of the spec. Update the
	// image of the class.
	ReasonServiceOutdated = "ServiceOutdated"
	// ReasonDrifted: the idea service works by something else than the spec, and spec.driftPolicy is Report.
	ReasonDrifted = "Drifted"
	// ReasonStale: the idea service works by a later generation of the object, which was restored from an earlier state.
	// Bring it to what should hold now, and change it until its generation is higher.
	ReasonStale = "Stale"
	// ReasonSuspended: spec.suspend is true, so nothing is changed in the idea service. Set it to false to go on.
	ReasonSuspended = "Suspended"
	// ReasonPriceOnly: the annotation cocreation.quaeso.io/price is "only", so the changed spec was priced and not declared.
	// Remove the annotation to declare it.
	ReasonPriceOnly = "PriceOnly"

	// ReasonOpen: members can take part.
	ReasonOpen = "Open"
	// ReasonScheduled: the first phase has not begun.
	ReasonScheduled = "Scheduled"
	// ReasonBetweenPhases: one phase is over, the next has not begun.
	ReasonBetweenPhases = "BetweenPhases"
	// ReasonTeamAtWork: the phase is the team's or the jury's; members wait for the outcome.
	ReasonTeamAtWork = "TeamAtWork"
	// ReasonChallengePaused: spec.paused says why nobody can take part for now.
	ReasonChallengePaused = "ChallengePaused"
	// ReasonCancelled: spec.cancelled says why the challenge was cancelled.
	ReasonCancelled = "Cancelled"
	// ReasonClosed: the last phase is over.
	ReasonClosed = "Closed"
	// ReasonDecided: the winners were decided.
	ReasonDecided = "Decided"
	// ReasonUndecided: nothing was decided yet.
	ReasonUndecided = "Undecided"
	// ReasonOnTime: no promised answer is late.
	ReasonOnTime = "OnTime"
	// ReasonAnswersLate: the brand owes answers since longer than it promised. The message says how many; the team's page
	// lists them.
	ReasonAnswersLate = "AnswersLate"
	// ReasonWithinQuotas: participants are as the quotas ask, within 5 percentage points.
	ReasonWithinQuotas = "WithinQuotas"
	// ReasonGapTooWide: a segment's share of the participants is more than 5 percentage points from its quota. Invite those
	// who are missing, and read weighted results beside raw ones.
	ReasonGapTooWide = "GapTooWide"
	// ReasonNoParticipants: nobody has taken part yet, so nothing can be said of the shares.
	ReasonNoParticipants = "NoParticipants"
	// ReasonOnTrack: each objective is reached, or on its way.
	ReasonOnTrack = "OnTrack"
	// ReasonBehind: objectives will not be reached in time, or their deadline is over. The message names them.
	ReasonBehind = "Behind"
	// ReasonNotMeasured: objectives have too few values for a trend. The message names them; the team enters values of the
	// metric manual on its page.
	ReasonNotMeasured = "NotMeasured"

	// ReasonInUse: a CommunityClass is being deleted while communities use it. It goes when they are gone or
	// use another class.
	ReasonInUse = "InUse"
)
