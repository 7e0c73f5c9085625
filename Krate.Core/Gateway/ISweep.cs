namespace Krate.Core.Gateway;

/// <summary>Deletes files that belong to no resource any more.</summary>
internal interface ISweep
{
    /// <summary>What it deletes, in a few words.</summary>
    string Of { get; }

    /// <returns>How many were deleted.</returns>
    Task<int> RunAsync(IResourceGateway gateway, Actor actor, CancellationToken ct);
}
