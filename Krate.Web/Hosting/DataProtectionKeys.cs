using System.Xml.Linq;
using Krate.Core.Store;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Options;

namespace Krate.Web.Hosting;

/// <summary>
/// The keys of cookies and forms as private files of the data directory, shared by replicas. The framework's own repository
/// writes drafts to the temp folder, which need not be writable.
/// </summary>
internal sealed class DataProtectionKeys(DataDirectory data) : IXmlRepository, IConfigureOptions<KeyManagementOptions>
{
    private string Folder => Path.Combine(data.Keys, "data-protection");

    public void Configure(KeyManagementOptions options) => options.XmlRepository = this;

    public IReadOnlyCollection<XElement> GetAllElements() =>
        Directory.Exists(Folder) ? [.. Directory.EnumerateFiles(Folder, "*.xml").Order(StringComparer.Ordinal).Select(XElement.Load)] : [];

    public void StoreElement(XElement element, string friendlyName)
    {
        Directory.CreateDirectory(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        PrivateFile.Replace(Path.Combine(Folder, (friendlyName.Length > 0 ? friendlyName : Guid.NewGuid().ToString()) + ".xml"), element.ToString());
    }
}
