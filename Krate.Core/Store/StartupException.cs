namespace Krate.Core.Store;

/// <summary>Krate cannot start here, and the person who started it can mend it. The host prints the message as its one line and exits.</summary>
public sealed class StartupException(string message, Exception? inner = null) : Exception(message, inner);
