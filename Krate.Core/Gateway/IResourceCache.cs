using Krate.Core.Resources;

namespace Krate.Core.Gateway;

/// <summary>All resources of the config and native kinds (storage class <c>etcd</c>, Events left out), in memory, by key. Follows the feed; a commit of
/// this process is in it before the commit returns. No permission is checked here: for authorisation, admission, identity and reconcilers only.</summary>
public interface IResourceCache
{
    Resource? Get(KindDefinition kind, string ns, string name);

    /// <summary>Null namespace: all.</summary>
    IEnumerable<Resource> List(KindDefinition kind, string? ns = null);

    /// <summary>Those of a namespace that have this text there.</summary>
    /// <param name="path">One of <see cref="KindDefinition.CachedBy"/>, else all are gone through.</param>
    IEnumerable<Resource> ListBy(KindDefinition kind, string ns, string path, string value) => List(kind, ns).Where(r => r.Body.Text(path) == value);
}
